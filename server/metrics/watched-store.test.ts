import { expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { createOperationMeter } from "./operation-counts.ts";
import { watchStore } from "./watched-store.ts";
import type { Store } from "../store/store.ts";

test("operations are timed and those without an answer counted; refusals are answers, starting is none", async () => {
  let time = 0;
  const failures = [ErrorReason.STORE_UNAVAILABLE, ErrorReason.NAME_TAKEN];
  const seen: unknown[] = [];
  const plain = {
    async start() {
      time += 1_000;
    },
    async getFact(key: string) {
      time += 30;
      return `fact ${key}`;
    },
    async setFact(...args: unknown[]) {
      seen.push(args);
      time += 5;
      throw new DomainError(failures.pop() ?? 0, "no");
    },
  } as unknown as Store;
  const meter = createOperationMeter(() => time);
  const store = watchStore(plain, meter.watch);
  await store.start();
  expect(await store.getFact("a")).toBe("fact a");
  await expect(store.setFact("b", "1")).rejects.toMatchObject({ reason: ErrorReason.NAME_TAKEN });
  await expect(store.setFact("b", "2")).rejects.toMatchObject({
    reason: ErrorReason.STORE_UNAVAILABLE,
  });
  expect(seen).toEqual([
    ["b", "1"],
    ["b", "2"],
  ]);
  const read = meter.read();
  expect(read.map(({ operation, unavailable }) => [operation, unavailable])).toEqual([
    ["getFact", 0],
    ["setFact", 1],
  ]);
  expect(read.map(({ durations }) => durations.sum)).toEqual([0.03, 0.01]);
  expect(read.map(({ durations }) => durations.cumulative.at(-1))).toEqual([1, 2]);
});
