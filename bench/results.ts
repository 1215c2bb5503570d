import type { Candidate } from "./candidates.ts";
import type { Outcome, PhaseResult } from "./load/order.ts";
import { TICK_MS } from "./world/rules.ts";
import type { Neighbours } from "./world/scenario.ts";

/** A tick is on time when 99 of 100 intervals are at most this many periods long. */
export const ON_TIME_PERIODS = 1.5;
/** Above this part of its core the generator may be what holds things up. */
export const GENERATOR_LIMIT = 0.85;

/** A size of the world. */
export interface Size {
  readonly players: number;
  readonly neighbours: Neighbours;
}

/** The runs of one candidate in one size of the world. */
export interface Cell {
  readonly candidate: Candidate;
  readonly size: Size;
  readonly outcomes: readonly Outcome[];
  /** Why a run failed, if one did. */
  readonly failures: readonly string[];
}

/** How many players one core held. */
export interface Capacity {
  readonly candidate: Candidate;
  readonly neighbours: Neighbours;
  readonly held: number;
  /** The least number of players that it was seen not to hold; undefined: the search ended before. */
  readonly notHeld: number | undefined;
  /** The part of its core that the server used when it did not hold them; undefined: it was not measured. */
  readonly cpuWhenNotHeld: number | undefined;
  /** The generator was at its limit: the server may hold more. */
  readonly byGenerator: boolean;
  /** How Moves fared at 70 % of the held players; undefined: not measured. */
  readonly moveP99AtLoad: number | undefined;
}

/** Everything that was measured. */
export interface Results {
  readonly worlds: readonly Cell[];
  readonly calls: readonly Cell[];
  readonly capacities: readonly Capacity[];
  /** Runs that there was no time for. */
  readonly leftOut: number;
}

/** The median of a figure over the runs of a cell; NaN when none has it. */
export function medianOf(
  cell: Pick<Cell, "outcomes"> | undefined,
  phase: string,
  figure: (result: PhaseResult) => number,
): number {
  const values = (cell?.outcomes ?? []).flatMap(({ phases }) =>
    phases.filter(({ name }) => name === phase).map(figure),
  );
  return median(values);
}

/** The middle of some numbers, those that are none left out. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Whether the ticks of a stretch reached the players on time. */
export function isOnTime({ intervalP99 }: PhaseResult): boolean {
  return intervalP99 <= ON_TIME_PERIODS * TICK_MS;
}

/** What was measured of a cell while its players moved. Without Moves updates are as far apart as there is nothing to say. */
export function movesOf({ outcomes }: Cell): PhaseResult[] {
  return outcomes.flatMap(({ phases }) => phases.filter(({ name }) => name === "moves"));
}

/** Whether ticks came late at some time: the server did not do all its work. */
export function isLate(cell: Cell): boolean {
  return !movesOf(cell).every(isOnTime);
}
