import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createDrain } from "./drain.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const told: (number | "canceled")[] = [];
  const counts = { changed: 0, due: 0 };
  const drain = createDrain({
    raise({ kind }) {
      if (kind.case !== "drain") throw new Error(`told ${kind.case}`);
      told.push(kind.value.canceled ? "canceled" : kind.value.stopsInMs);
    },
    onChanged: () => counts.changed++,
    onDue: () => counts.due++,
    now: Date.now,
  });
  return { drain, told, counts };
}

test("the countdown tells at once, each minute, and more often towards its end", () => {
  const { drain, told, counts } = setUp();
  const atMs = drain.begin(150_000, "update");
  expect(atMs).toBe(Date.now() + 150_000);
  vi.advanceTimersByTime(149_999);
  expect(counts).toEqual({ changed: 1, due: 0 });
  vi.advanceTimersByTime(1);
  expect(told).toEqual([
    ...[150_000, 120_000, 60_000, 30_000, 10_000, 5_000, 4_000, 3_000, 2_000, 1_000, 0],
  ]);
  expect(counts.due).toBe(1);
  vi.advanceTimersByTime(600_000);
  expect(counts.due).toBe(1);
});

test("nobody new is let in while it runs, and is told when to come back", () => {
  const { drain } = setUp();
  drain.refuseLogins();
  expect(drain.isRunning).toBe(false);
  drain.begin(20_000, "update");
  expect(drain.isRunning).toBe(true);
  expect(() => drain.refuseLogins()).toThrow(
    expect.objectContaining({
      reason: ErrorReason.DRAINING,
      message: "the server is about to stop: update",
      details: { retryDelayMs: 25_000 },
    }),
  );
});

test("it is taken back, once, and everybody is told", () => {
  const { drain, told, counts } = setUp();
  expect(drain.cancel()).toBe(false);
  drain.begin(5_000, "");
  vi.advanceTimersByTime(2_500);
  expect(drain.cancel()).toBe(true);
  expect(drain.cancel()).toBe(false);
  drain.refuseLogins();
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([5_000, 4_000, 3_000, "canceled"]);
  expect(counts).toEqual({ changed: 2, due: 0 });
});

test("begun again it has a new time, also an earlier one", () => {
  const { drain, counts } = setUp();
  drain.begin(3_600_000, "later");
  drain.begin(1_000, "now");
  expect(drain.reason).toBe("now");
  vi.advanceTimersByTime(1_000);
  expect(counts.due).toBe(1);
});

test("a closed one does nothing more", () => {
  const { drain, counts } = setUp();
  drain.begin(1_000, "");
  drain.close();
  vi.advanceTimersByTime(10_000);
  expect(counts.due).toBe(0);
});
