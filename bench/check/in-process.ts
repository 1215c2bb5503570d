import { cpuMicrosOf } from "../run/cpu-clock.ts";
import { measureCosts, NEIGHBOURS } from "../cost/measure.ts";
import { createPlainWorld } from "../world/plain-world.ts";
import { createPopulation } from "../world/population.ts";
import { TICK_MS } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { createWalker } from "../world/walker.ts";
import { ratioOfLeast } from "./pieces.ts";
import type { Ratios } from "./pieces.ts";
import { createPlainColumns } from "./plain-columns.ts";

const WALKERS = 1_000;
const MANY_WALKERS = 10_000;
const ROUNDS = 16;
/** Rounds before anything counts, in which the engine compiles. */
const WARM_UP_ROUNDS = 5;
const TICKS_PER_ROUND = 8;
const POPULATION_ROUNDS = 8;

/** Measures the simulation and the writing of messages, in this thread. */
export function measureWorld(): Ratios {
  const { homes } = createScenario({ players: WALKERS, neighbours: NEIGHBOURS });
  const population = createPopulation(homes);
  const plain = createPlainWorld(homes);
  const walkers = homes.map((home, player) => createWalker({ seed: player, home }));
  const columns = createPlainColumns(WALKERS);
  for (const player of homes.keys()) plain.join(player);

  function turnPlain(): void {
    for (const [player, walker] of walkers.entries()) {
      const { x, y } = walker.next(plain.tick * TICK_MS);
      plain.move(player, x, y);
    }
  }

  function lookPlain(): void {
    for (const player of homes.keys()) {
      const { entered, turned } = plain.look(player);
      columns.write(
        entered.length > 0 ? [...turned, ...entered] : turned,
        plain.xs,
        plain.ys,
        player,
      );
    }
  }

  const taken = { step: [0], message: [0], plainStep: [0], plainMessage: [0] };
  for (const list of Object.values(taken)) list.length = 0;
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const sum = { step: 0, message: 0, plainStep: 0, plainMessage: 0 };
    for (let tick = 0; tick < TICKS_PER_ROUND; tick++) {
      population.turn();
      sum.step += cpuMicrosOf(population.step);
      sum.message += cpuMicrosOf(() => void population.look());
      if (tick === 0) turnPlain();
      sum.plainStep += cpuMicrosOf(plain.step);
      sum.plainMessage += cpuMicrosOf(lookPlain);
    }
    if (round < 0) continue;
    taken.step.push(sum.step);
    taken.message.push(sum.message);
    taken.plainStep.push(sum.plainStep);
    taken.plainMessage.push(sum.plainMessage);
  }
  return {
    step: ratioOfLeast(taken.step, taken.plainStep),
    message: ratioOfLeast(taken.message, taken.plainMessage),
  };
}

/** Measures whether one among many costs more than one among few. */
export function measurePopulation(): Ratios {
  const [few, many] = measureCosts([WALKERS, MANY_WALKERS], {
    rounds: POPULATION_ROUNDS,
    figure: "least",
  });
  if (!few || !many) throw new Error("nothing was measured");
  return { population: (many.step + many.look) / (few.step + few.look) };
}
