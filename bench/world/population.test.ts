import { expect, test } from "vitest";
import { cpuMicrosOf } from "../run/cpu-clock.ts";
import { measureCosts } from "../cost/measure.ts";
import { writeCosts } from "../cost/report.ts";
import { createPopulation } from "./population.ts";
import { createScenario } from "./scenario.ts";

test("everybody walks and everybody is told each tick", () => {
  const { homes } = createScenario({ players: 40, neighbours: 30 });
  const population = createPopulation(homes);
  for (let tick = 0; tick < 12; tick++) {
    population.turn();
    population.step();
    // Of about thirty walkers some have turned, each with an id and a velocity in at least three bytes.
    expect(population.look() / homes.length).toBeGreaterThan(10 * 3);
  }
  // Nothing has changed since: nobody is told anything.
  expect(population.look()).toBe(0);
});

test("costs are measured for each size, and compared with that of 1,000", () => {
  const costs = measureCosts([35, 70], { rounds: 1, figure: "least" });
  expect(costs.map(({ size }) => size)).toEqual([35, 70]);
  for (const { step, look, bytes } of costs) {
    expect(step).toBeGreaterThan(0);
    expect(look).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(0);
  }
  const rows = writeCosts([
    { size: 1_000, step: 1, look: 3, bytes: 300 },
    { size: 10_000, step: 1.5, look: 4.5, bytes: 300 },
  ]);
  expect(rows).toContain("| 10000 | 1.50 | 1.50 × | 4.50 | 1.50 × | 6.00 | 1.50 × | 300 |");
});

test("the CPU clock counts what this thread computes, and stands still while it waits", () => {
  const waits = cpuMicrosOf(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  });
  expect(waits).toBeLessThan(100_000);
  const begun = process.cpuUsage();
  const computes = cpuMicrosOf(() => {
    let sum = 0;
    for (let i = 0; i < 3e6; i++) sum += Math.sqrt(i);
    expect(sum).toBeGreaterThan(0);
  });
  const { user, system } = process.cpuUsage(begun);
  expect(computes).toBeGreaterThan(0);
  expect(computes).toBeLessThanOrEqual(user + system);
});
