import type { Candidate } from "../candidates.ts";
import type { Outcome, Phase } from "../load/order.ts";
import type { Cell, Size } from "../results.ts";
import { carryOut } from "./run-order.ts";
import type { Bench, Run } from "./run-order.ts";

/** Moves that each player sends a second. */
export const MOVES_PER_SECOND = 5;
/** Calls that each connection makes a second when calls alone are measured. */
const CALLS_PER_SECOND = 25;
/** Connections when calls alone are measured. */
const CALLERS = 100;
/** Stretches in which little varies are shorter, by this factor. */
const SHORTER = 0.6;
/** The most players in one camp: each sees all of them, so that the cost grows with the square. */
const MAX_CAMP = 150;

/** What is told while it runs. */
export type Tell = (line: string) => void;

/** What a sweep measures. */
export interface SweepOptions {
  readonly bench: Bench;
  readonly candidates: readonly Candidate[];
  readonly rounds: number;
  readonly seconds: number;
  readonly tell: Tell;
  /** After it no run is begun, in milliseconds of `performance.now`. */
  readonly deadline: number;
}

interface OpenCell extends Cell {
  readonly outcomes: Outcome[];
  readonly failures: string[];
}

/** Measures every candidate in every size of the world, one candidate after the other and then all again. */
export async function sweepWorlds(
  options: SweepOptions,
  sizes: readonly Size[],
): Promise<{ cells: Cell[]; leftOut: number }> {
  const { seconds } = options;
  const phases: Phase[] = [
    { name: "moves", movesPerSecond: MOVES_PER_SECOND, seconds },
    { name: "still", movesPerSecond: 0, seconds: seconds * SHORTER },
  ];
  const candidates = options.candidates.filter(({ world }) => world);
  const cells = unique(sizes.map(limitCamp)).flatMap((size) =>
    candidates.map((candidate) => openCell(candidate, size)),
  );
  return { cells, leftOut: await fill(options, cells, "world", phases) };
}

/** Measures single calls on otherwise idle servers. */
export async function sweepCalls(
  options: SweepOptions,
): Promise<{ cells: Cell[]; leftOut: number }> {
  const { seconds } = options;
  const phases: Phase[] = [
    { name: "calls", movesPerSecond: CALLS_PER_SECOND, seconds: seconds * SHORTER },
  ];
  const candidates = options.candidates.filter(({ calls }) => calls);
  const cells = candidates.map((candidate) =>
    openCell(candidate, { players: CALLERS, neighbours: 1 }),
  );
  return { cells, leftOut: await fill(options, cells, "calls", phases) };
}

function openCell(candidate: Candidate, size: Size): OpenCell {
  return { candidate, size, outcomes: [], failures: [] };
}

function limitCamp({ players, neighbours }: Size): Size {
  return { players: neighbours === "camp" ? Math.min(players, MAX_CAMP) : players, neighbours };
}

function unique(sizes: readonly Size[]): Size[] {
  const byKey = new Map(sizes.map((size) => [`${size.players} ${size.neighbours}`, size]));
  return [...byKey.values()];
}

/** Runs each cell once a round; how many runs there was no time for comes back. */
async function fill(
  { bench, rounds, tell, deadline }: SweepOptions,
  cells: readonly OpenCell[],
  kind: Run["kind"],
  phases: readonly Phase[],
): Promise<number> {
  const total = rounds * cells.length;
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const { candidate, size, outcomes, failures } of cells) {
      if (performance.now() > deadline) return total - done;
      const what = kind === "world" ? describe(size) : "calls alone";
      done++;
      try {
        const outcome = await carryOut(bench, { candidate, kind, ...size, phases });
        outcomes.push(outcome);
        tell(`[${done}/${total}] ${candidate.name}, ${what}: ${summary(outcome)}`);
      } catch (error) {
        failures.push((error as Error).message);
        tell(`[${done}/${total}] ${candidate.name}, ${what}: failed: ${(error as Error).message}`);
      }
    }
  }
  return 0;
}

/** A size of the world in words. */
export function describe({ players, neighbours }: Size): string {
  return neighbours === "camp"
    ? `${players} players in one camp`
    : `${players} players, ${neighbours} neighbours`;
}

function summary({ phases }: Outcome): string {
  return phases
    .map(({ name, cpuMicrosPerPlayerTick, cpuMicrosPerCall, intervalP99 }) =>
      name === "calls"
        ? `${cpuMicrosPerCall.toFixed(1)} µs a call`
        : `${name} ${cpuMicrosPerPlayerTick.toFixed(1)} µs a player and tick, p99 interval ${intervalP99.toFixed(0)} ms`,
    )
    .join("; ");
}
