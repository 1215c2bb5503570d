/** The upper ends of the buckets, in seconds, of whatever a player waits for: calls and statements. */
export const CALL_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** The upper ends of the buckets, in seconds, of what happens in each tick. */
export const TICK_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
];

/** What was measured of one row. */
export interface DurationCounts {
  /** For each bound the measurements up to it, those of lower bounds included; behind them all measurements. */
  readonly cumulative: readonly number[];
  /** In seconds. */
  readonly sum: number;
}

/**
 * Histograms of durations, one for each row, as plain numbers: noting one costs two additions and allocates
 * nothing. Nothing is computed before it is read.
 */
export interface Durations {
  readonly bounds: readonly number[];
  note(row: number, seconds: number): void;
  read(row: number): DurationCounts;
}

/** The bytes that so many rows take. */
export function durationBytes(rows: number, bounds: readonly number[]): number {
  return rows * slotsOf(bounds) * Float64Array.BYTES_PER_ELEMENT;
}

/** Histograms in memory of their own, or, with a buffer of {@link durationBytes}, in memory that another thread may read. */
export function createDurations(
  rows: number,
  bounds: readonly number[],
  buffer: ArrayBufferLike = new ArrayBuffer(durationBytes(rows, bounds)),
  byteOffset = 0,
): Durations {
  const slots = slotsOf(bounds);
  const values = new Float64Array(buffer, byteOffset, rows * slots);
  return {
    bounds,
    note(row, seconds) {
      let bucket = 0;
      while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
      const at = row * slots;
      values[at + bucket] = (values[at + bucket] as number) + 1;
      values[at + slots - 1] = (values[at + slots - 1] as number) + seconds;
    },
    read(row) {
      const own = values.subarray(row * slots, (row + 1) * slots);
      let total = 0;
      const cumulative = [...own.subarray(0, -1)].map((count) => (total += count));
      return { cumulative, sum: own.at(-1) ?? 0 };
    },
  };
}

/** The sum of what several histograms measured. */
export function addCounts(parts: readonly DurationCounts[]): DurationCounts {
  const cumulative = (parts[0]?.cumulative ?? []).map((_, i) =>
    parts.reduce((total, part) => total + (part.cumulative[i] ?? 0), 0),
  );
  return { cumulative, sum: parts.reduce((total, { sum }) => total + sum, 0) };
}

/** A bucket for each bound, one for what is longer, and the sum. */
function slotsOf(bounds: readonly number[]): number {
  return bounds.length + 2;
}
