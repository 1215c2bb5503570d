import type { Candidate } from "../candidates.ts";
import type { PhaseResult } from "../load/order.ts";
import { GENERATOR_LIMIT, isOnTime, medianOf } from "../results.ts";
import type { Capacity, Cell } from "../results.ts";
import type { Neighbours } from "../world/scenario.ts";
import { carryOut } from "./run-order.ts";
import { MOVES_PER_SECOND } from "./sweep.ts";
import type { SweepOptions } from "./sweep.ts";

/** Where the search begins: at this part of what the CPU of the sweep lets one expect. */
const FIRST_LOAD = 0.8;
/** Where it begins when the sweep tells nothing. */
const FIRST_PLAYERS = 200;
/** By how much it goes up while all are held. */
const GROWTH = 1.25;
/** Where the search ends: more do not fit onto the map. */
const MAX_PLAYERS = 6_400;
/** The search ends when what is held and what is not are this near to each other. */
const CLOSE_ENOUGH = 1.1;
/**
 * How long an attempt is measured at least, in seconds. One interval in a hundred may be late, which is one in ten seconds: in less, a single
 * late tick would count as if every hundredth were.
 */
const MIN_SECONDS = 12;
/** Who is late is tried again, so often in all: others may have used the machine. */
const TRIES = 2;
/** The part of the held players with which the delay of Moves is measured. */
const LOAD = 0.7;

interface Search {
  readonly candidate: Candidate;
  readonly first: number;
  held: number;
  notHeld: number | undefined;
  cpuWhenNotHeld: number | undefined;
  byGenerator: boolean;
  moveP99AtLoad: number | undefined;
}

/**
 * Looks for the most players that each candidate holds on its core with ticks on time: from what the worlds of
 * the sweep let one expect upwards until they are late, then by halving what lies between. The candidates take turns.
 */
export async function searchCapacities(
  options: SweepOptions,
  neighbours: Neighbours,
  worlds: readonly Cell[],
): Promise<Capacity[]> {
  const searches: Search[] = options.candidates
    .filter(({ world }) => world)
    .map((candidate) => ({
      candidate,
      first: firstTry(worlds, candidate, neighbours),
      held: 0,
      notHeld: undefined,
      cpuWhenNotHeld: undefined,
      byGenerator: false,
      moveP99AtLoad: undefined,
    }));
  for (let open = searches; open.length > 0; open = open.filter((s) => nextTry(s) !== undefined)) {
    for (const search of open) {
      const players = nextTry(search);
      if (players === undefined || performance.now() > options.deadline) continue;
      const result = await attempt(options, search.candidate, players, neighbours);
      note(search, players, isHeld(result), result);
    }
    if (performance.now() > options.deadline) break;
  }
  for (const search of searches) {
    const players = Math.floor(search.held * LOAD);
    if (players === 0 || performance.now() > options.deadline) continue;
    const result = await attempt(options, search.candidate, players, neighbours);
    search.moveP99AtLoad = result?.moveP99;
  }
  return searches.map((search) => ({ ...search, neighbours }));
}

function note(
  search: Search,
  players: number,
  holds: boolean,
  result: PhaseResult | undefined,
): void {
  if (holds) {
    search.held = players;
    return;
  }
  search.notHeld = players;
  search.cpuWhenNotHeld = result?.serverCpu;
  search.byGenerator = result !== undefined && result.generatorCpu > GENERATOR_LIMIT;
}

/** With how many players to begin, by what one of them cost in the largest world that was measured. */
function firstTry(worlds: readonly Cell[], candidate: Candidate, neighbours: Neighbours): number {
  const expected = worlds
    .filter((cell) => cell.candidate === candidate && cell.size.neighbours === neighbours)
    .toSorted((a, b) => b.size.players - a.size.players)
    .map(({ outcomes, size }) => {
      const cpu = medianOf({ outcomes }, "moves", ({ serverCpu }) => serverCpu);
      return Math.round((size.players / cpu) * FIRST_LOAD);
    })
    .find((players) => players > 0);
  return Math.min(expected ?? FIRST_PLAYERS, MAX_PLAYERS);
}

/** With how many players to try next; undefined: what is known is enough. */
function nextTry({ first, held, notHeld }: Search): number | undefined {
  if (notHeld === undefined) {
    const next = held === 0 ? first : Math.round(held * GROWTH);
    return next > MAX_PLAYERS ? undefined : next;
  }
  if (notHeld <= Math.max(1, held) * CLOSE_ENOUGH || notHeld - held <= 20) return undefined;
  return Math.round((held + notHeld) / 2);
}

const isHeld = (result: PhaseResult | undefined) => result !== undefined && isOnTime(result);

/** What came of it in the end: of the first time that they were held, else of the last. */
async function attempt(
  options: SweepOptions,
  candidate: Candidate,
  players: number,
  neighbours: Neighbours,
): Promise<PhaseResult | undefined> {
  let result: PhaseResult | undefined;
  for (let left = TRIES; left > 0 && !isHeld(result); left--) {
    result = await attemptOnce(options, candidate, players, neighbours);
    options.tell(
      `${candidate.name} ${isHeld(result) ? "holds" : "does not hold"} ${players} players: ` +
        (result
          ? `p99 interval ${result.intervalP99.toFixed(0)} ms, ${(result.serverCpu * 100).toFixed(0)} % of its core`
          : "they did not even come in"),
    );
  }
  return result;
}

async function attemptOnce(
  options: SweepOptions,
  candidate: Candidate,
  players: number,
  neighbours: Neighbours,
): Promise<PhaseResult | undefined> {
  const { bench } = options;
  const seconds = Math.max(options.seconds, MIN_SECONDS);
  const phases = [{ name: "moves", movesPerSecond: MOVES_PER_SECOND, seconds }];
  try {
    const run = { candidate, kind: "world", players, neighbours, phases } as const;
    const { phases: results } = await carryOut(bench, run);
    return results[0];
  } catch {
    // A server that cannot even let them all in does not hold them.
    return undefined;
  }
}
