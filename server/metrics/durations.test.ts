import { expect, test } from "vitest";
import { addCounts, createDurations, durationBytes } from "./durations.ts";
import { createNodeTickTimes, createTickTimes } from "./tick-times.ts";

test("a bucket has what is up to its bound, that of lower ones included, and the last one has all", () => {
  const durations = createDurations(2, [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 7]) durations.note(1, seconds);
  expect(durations.read(1)).toEqual({ cumulative: [2, 3, 4], sum: expect.closeTo(7.65) });
  expect(durations.read(0)).toEqual({ cumulative: [0, 0, 0], sum: 0 });
});

test("histograms in one buffer do not touch each other, and are read by whoever has it", () => {
  const bounds = [1];
  const bytes = durationBytes(1, bounds);
  const buffer = new SharedArrayBuffer(2 * bytes);
  createDurations(1, bounds, buffer).note(0, 0.5);
  createDurations(1, bounds, buffer, bytes).note(0, 2);
  expect(createDurations(1, bounds, buffer).read(0)).toEqual({ cumulative: [1, 1], sum: 0.5 });
  expect(createDurations(1, bounds, buffer, bytes).read(0)).toEqual({ cumulative: [0, 1], sum: 2 });
});

test("counts are added bucket by bucket", () => {
  const one = { cumulative: [1, 2], sum: 3 };
  expect(addCounts([one, { cumulative: [0, 5], sum: 0.5 }])).toEqual({
    cumulative: [1, 7],
    sum: 3.5,
  });
});

test("ticks of all threads count together, those of a thread that ended and of its successor too", () => {
  const zones = ["meadow", "town"];
  const ticks = createNodeTickTimes(zones);
  ticks.note("town", 4, 20);
  const first = ticks.lend();
  createTickTimes(zones, first).note("town", 8, 0);
  ticks.giveBack(first);
  const second = ticks.lend();
  expect(second).toBe(first);
  const third = ticks.lend();
  createTickTimes(zones, second).note("town", 2_000, 0);
  createTickTimes(zones, third).note("meadow", 1, 1);
  createTickTimes(zones, third).note("nowhere", 1, 1);
  expect(ticks.took("town").cumulative.at(-1)).toBe(3);
  expect(ticks.took("town").sum).toBeCloseTo(2.012);
  expect(ticks.late("town").sum).toBeCloseTo(0.02);
  expect(ticks.took("meadow")).toMatchObject({ sum: 0.001 });
});
