import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTestZone, drawMap, input, join } from "../../test/support/sim.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import {
  createZoneRunner,
  IDLE_BEFORE_SLEEP_MS,
  IDLE_PERIOD_MS,
  MAX_CATCH_UP_TICKS,
} from "./zone-runner.ts";

const PERIOD_MS = 100;
const leaving = input({
  case: "leave",
  value: { $typeName: "realmwire.internal.v1.LeaveInput", name: "ada" },
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A runner with Ada in its zone, and a clock that work can push forward. */
function setUp() {
  const { zone } = createTestZone(drawMap(["......", "..@...", "......"]));
  join(zone, "ada");
  const { logger, lines } = createMemoryLog();
  const speeds: number[] = [];
  const errors: unknown[] = [];
  const state = { ticks: 0, costMs: 0, workedMs: 0, fails: false };
  const runner = createZoneRunner({
    zone,
    logger,
    onFrame() {
      if (state.fails) throw new Error("broken");
      state.ticks++;
      state.workedMs += state.costMs;
    },
    onSpeed: (percent) => speeds.push(percent),
    onCrash: (error) => errors.push(error),
    now: () => Date.now() + state.workedMs,
  });
  /** Lets time pass, that of work included. */
  const pass = (ms: number) => {
    const end = Date.now() + state.workedMs + ms;
    while (Date.now() + state.workedMs < end) vi.advanceTimersByTime(1);
  };
  return { zone, runner, state, speeds, errors, lines, pass };
}

test("it steps at the zone's rate", () => {
  const { runner, state, pass } = setUp();
  runner.start();
  pass(2_050);
  expect(state.ticks).toBe(21);
  runner.stop();
  pass(1_000);
  expect(state.ticks).toBe(21);
  expect(vi.getTimerCount()).toBe(0);
});

test("a short delay is caught up, of a long one only so many ticks", () => {
  const { runner, state, pass } = setUp();
  runner.start();
  pass(1_050);
  state.workedMs += 3 * PERIOD_MS;
  pass(700);
  expect(state.ticks).toBe(21);

  state.workedMs += 100 * PERIOD_MS;
  const before = state.ticks;
  pass(1_000);
  const usual = 1_000 / PERIOD_MS;
  expect(state.ticks - before).toBeGreaterThan(usual);
  expect(state.ticks - before).toBeLessThanOrEqual(usual + MAX_CATCH_UP_TICKS);
});

test("what cannot keep up slows down and says so, and says when it is well again", () => {
  const { runner, state, speeds, lines, pass } = setUp();
  runner.start();
  pass(5_000);
  expect(speeds).toEqual([]);
  state.costMs = 2 * PERIOD_MS;
  pass(10_000);
  expect(speeds.length).toBeGreaterThan(0);
  expect(speeds.at(-1)).toBeGreaterThanOrEqual(45);
  expect(speeds.at(-1)).toBeLessThanOrEqual(55);
  expect(lines[0]).toMatchObject({ level: "warn", fields: { zone: "test" } });
  // The clock itself was never stuck: half of the ticks were made.
  state.costMs = 0;
  pass(10_000);
  expect(speeds.at(-1)).toBe(100);
  const told = speeds.length;
  pass(10_000);
  expect(speeds).toHaveLength(told);
});

test("a little slowness is not worth a word", () => {
  const { runner, state, speeds, pass } = setUp();
  runner.start();
  state.costMs = PERIOD_MS * 1.06;
  pass(10_000);
  expect(speeds).toEqual([]);
});

test("[SM-25] without characters it steps rarely, then sleeps, and an arrival wakes it at once", () => {
  const { zone, runner, state, pass } = setUp();
  runner.start();
  pass(1_050);
  runner.apply(leaving);
  pass(PERIOD_MS);
  expect(runner.state).toBe("idle");
  const before = state.ticks;
  pass(10 * IDLE_PERIOD_MS);
  expect(state.ticks - before).toBeGreaterThanOrEqual(9);
  expect(state.ticks - before).toBeLessThanOrEqual(11);

  pass(IDLE_BEFORE_SLEEP_MS);
  expect(runner.state).toBe("asleep");
  expect(vi.getTimerCount()).toBe(0);
  const asleep = state.ticks;
  vi.advanceTimersByTime(3_600_000);
  expect(state.ticks).toBe(asleep);

  expect(zone.characterCount()).toBe(0);
  runner.apply(joining());
  expect(runner.state).toBe("running");
  pass(1_050);
  // Nothing of the sleep is caught up.
  expect(state.ticks - asleep).toBe(11);
});

test("an arrival in an idle zone does not wait for the idle period", () => {
  const { runner, state, pass } = setUp();
  runner.start();
  runner.apply(leaving);
  pass(IDLE_PERIOD_MS / 4);
  const before = state.ticks;
  runner.apply(joining());
  pass(PERIOD_MS + 1);
  expect(state.ticks - before).toBe(2);
});

test("when a tick throws, the zone has ended and says why", () => {
  const { runner, state, errors, pass } = setUp();
  runner.start();
  pass(500);
  state.fails = true;
  pass(500);
  expect(errors).toMatchObject([{ message: "broken" }]);
  expect(runner.state).toBe("stopped");
  expect(vi.getTimerCount()).toBe(0);
});

function joining() {
  return input({ case: "join", value: { character: { name: "bob", characterId: 2 } } as never });
}
