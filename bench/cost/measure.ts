import { median } from "../results.ts";
import { cpuMicrosOf } from "../run/cpu-clock.ts";
import { createPopulation } from "../world/population.ts";
import type { Population } from "../world/population.ts";
import { createScenario } from "../world/scenario.ts";

/** Others in view on average, whatever the population. */
export const NEIGHBOURS = 30;
/** So often somebody looks in one round, in however many ticks: few tick often, many seldom. */
const LOOKS_PER_ROUND = 10_000;
/** Rounds before anything is measured: the engine compiles, and everybody has walked a while. */
const WARM_UP_ROUNDS = 3;

/** What a population costs, in microseconds of CPU for each of its members and each tick. */
export interface Cost {
  readonly size: number;
  /** A step of the simulation. */
  readonly step: number;
  /** Finding who is in view, differing and writing the message. */
  readonly look: number;
  /** Bytes of a message. */
  readonly bytes: number;
}

/** Measures populations of the same density in turn; of each figure the least of all rounds counts, or their median. */
export function measureCosts(
  sizes: readonly number[],
  options: { readonly rounds: number; readonly figure: "least" | "median" },
): Cost[] {
  const populations = sizes.map((players) =>
    createPopulation(createScenario({ players, neighbours: NEIGHBOURS }).homes),
  );
  const costs = populations.map((): Cost[] => []);
  for (let round = -WARM_UP_ROUNDS; round < options.rounds; round++) {
    for (const [index, population] of populations.entries()) {
      const cost = measureRound(population);
      if (round >= 0) costs[index]?.push(cost);
    }
  }
  const pick = options.figure === "median" ? median : (all: readonly number[]) => Math.min(...all);
  return costs.map((rounds, index) => ({
    size: sizes[index] ?? 0,
    step: pick(rounds.map(({ step }) => step)),
    look: pick(rounds.map(({ look }) => look)),
    bytes: median(rounds.map(({ bytes }) => bytes)),
  }));
}

function measureRound(population: Population): Cost {
  const { size } = population;
  const ticks = Math.max(1, Math.round(LOOKS_PER_ROUND / size));
  let step = 0;
  let look = 0;
  let bytes = 0;
  for (let tick = 0; tick < ticks; tick++) {
    population.turn();
    step += cpuMicrosOf(population.step);
    look += cpuMicrosOf(() => (bytes += population.look()));
  }
  const each = size * ticks;
  return { size, step: step / each, look: look / each, bytes: bytes / each };
}
