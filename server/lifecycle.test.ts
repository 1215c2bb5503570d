import { expect, test } from "vitest";
import { createMemoryLog } from "../test/support/rpc-server.ts";
import { createLifecycle } from "./lifecycle.ts";
import type { Part } from "./lifecycle.ts";

/** Parts that write down what happens to them. */
function setUp(broken: Partial<Record<string, "start" | "close">> = {}) {
  const happened: string[] = [];
  const gate = Promise.withResolvers<void>();
  const parts = ["one", "two", "three"].map((name): Part => {
    const act = (what: "start" | "close") => {
      happened.push(`${what} ${name}`);
      if (broken[name] === what) throw new Error(`${name} cannot ${what}`);
    };
    return {
      name,
      async start() {
        act("start");
        if (name === "two") await gate.promise;
      },
      close: () => act("close"),
    };
  });
  const { logger, lines } = createMemoryLog();
  return { lifecycle: createLifecycle(parts, logger), happened, gate, lines };
}

test("[PY-12] parts start in order, each with its time in the log, and close in the opposite one, once", async () => {
  const { lifecycle, happened, gate, lines } = setUp();
  gate.resolve();
  await lifecycle.start();
  expect(lines.filter(({ level }) => level === "info")).toMatchObject(
    ["one", "two", "three"].map((name) => ({
      message: `${name} started`,
      fields: { tookMs: expect.any(Number) },
    })),
  );
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  expect(happened).toEqual([
    ...["start one", "start two", "start three"],
    ...["close three", "close two", "close one"],
  ]);
});

test("a start that fails ends what had started, and what failed half-way", async () => {
  const { lifecycle, happened, gate } = setUp({ two: "start" });
  gate.resolve();
  await expect(lifecycle.start()).rejects.toThrow("two cannot start");
  expect(happened).toEqual(["start one", "start two", "close two", "close one"]);
  await lifecycle.close();
  expect(happened).toHaveLength(4);
});

test("closed while it starts, it waits for the part that starts, and starts no further one", async () => {
  const { lifecycle, happened, gate } = setUp();
  const outcome = lifecycle.start().catch((error: unknown) => error);
  await expect.poll(() => happened).toContain("start two");
  const closed = lifecycle.close();
  expect(happened).not.toContain("close two");
  gate.resolve();
  expect(await outcome).toMatchObject({ message: expect.stringContaining("stopped") });
  await closed;
  expect(happened).toEqual(["start one", "start two", "close two", "close one"]);
});

test("what cannot be closed keeps nothing else open", async () => {
  const { lifecycle, happened, gate, lines } = setUp({ two: "close" });
  gate.resolve();
  await lifecycle.start();
  await expect(lifecycle.close()).rejects.toThrow("some parts could not be closed");
  expect(happened.slice(3)).toEqual(["close three", "close two", "close one"]);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: "error", fields: expect.objectContaining({ part: "two" }) }),
  );
});
