import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { RealmwireError } from "./errors.ts";
import { createPatience } from "./patience.ts";
import { createManualClock } from "./testing/manual-clock.ts";

function refusal(reason: ErrorReason, retryDelayMs?: number): RealmwireError {
  const retryDelay = retryDelayMs === undefined ? {} : { retryDelay: durationFromMs(retryDelayMs) };
  const detail = create(ErrorDetailSchema, { reason, ...retryDelay });
  return new RealmwireError(Code.ResourceExhausted, "refused", detail);
}

/** A call that is refused so many times, and a clock that goes on whenever somebody waits for it. */
async function callRefused(times: number, error: RealmwireError, patienceMs: number) {
  const clock = createManualClock();
  const calledAt: number[] = [];
  const result = createPatience({ clock, patienceMs })(async () => {
    calledAt.push(clock.now());
    if (calledAt.length <= times) throw error;
    return "in";
  });
  const outcome = result.catch((failure: unknown) => failure);
  for (let i = 0; i < 10 * (times + 1); i++) {
    await Promise.resolve();
    if (clock.pending > 0) clock.advance(error.retryDelayMs ?? 0);
  }
  return { outcome: await outcome, calledAt };
}

test("who is told to come back comes back then, until the call is carried out", async () => {
  const busy = refusal(ErrorReason.TOO_MANY_CALLS, 3_000);
  const { outcome, calledAt } = await callRefused(2, busy, 60_000);
  expect(outcome).toBe("in");
  expect(calledAt).toEqual([0, 3_000, 6_000]);
});

test("patience ends, and the server's answer comes through", async () => {
  const busy = refusal(ErrorReason.TOO_MANY_CALLS, 4_000);
  const { outcome, calledAt } = await callRefused(9, busy, 10_000);
  expect(outcome).toBe(busy);
  expect(calledAt).toEqual([0, 4_000, 8_000]);
});

test.each([
  ["another error", refusal(ErrorReason.CREDENTIALS_WRONG)],
  ["one that may have been carried out", refusal(ErrorReason.STORE_UNAVAILABLE, 1_000)],
  ["one without a delay", refusal(ErrorReason.TOO_MANY_CALLS)],
])("%s is not waited for", async (_, error) => {
  const { outcome, calledAt } = await callRefused(1, error, 60_000);
  expect(outcome).toBe(error);
  expect(calledAt).toEqual([0]);
});
