import { addCounts, createDurations, durationBytes, TICK_BUCKETS } from "./durations.ts";
import type { DurationCounts, Durations } from "./durations.ts";

/** Notes how long a tick of a zone took and how late it began, both in milliseconds. */
export type NoteTick = (zone: string, tookMs: number, lateMs: number) => void;

/** How long the ticks of zones take, and how late they begin. */
export interface TickTimes {
  /** Zones that it does not know are passed over. */
  readonly note: NoteTick;
  readonly took: Durations;
  readonly late: Durations;
}

/** The bytes that the times of so many zones take. */
export function tickTimesBytes(zones: number): number {
  return 2 * durationBytes(zones, TICK_BUCKETS);
}

/** Times of zones, by their place in the list, in a buffer of {@link tickTimesBytes}. */
export function createTickTimes(zones: readonly string[], buffer: ArrayBufferLike): TickTimes {
  const rows = new Map(zones.map((zone, row) => [zone, row]));
  const took = createDurations(zones.length, TICK_BUCKETS, buffer);
  const at = durationBytes(zones.length, TICK_BUCKETS);
  const late = createDurations(zones.length, TICK_BUCKETS, buffer, at);
  return {
    took,
    late,
    note(zone, tookMs, lateMs) {
      const row = rows.get(zone);
      if (row === undefined) return;
      took.note(row, tookMs / 1000);
      late.note(row, lateMs / 1000);
    },
  };
}

/**
 * The tick times of a node, whichever thread its zones run in. Threads write into memory that they share with the one that
 * reads it: that costs no messages, and a thread that hangs can be read too.
 */
export interface NodeTickTimes {
  /** For zones of this thread. */
  readonly note: NoteTick;
  /** Memory for a thread, shared with it. The memory of one that has ended goes to the next, so that nothing is counted down. */
  lend(): SharedArrayBuffer;
  /** The thread that had this memory has ended. */
  giveBack(buffer: SharedArrayBuffer): void;
  took(zone: string): DurationCounts;
  late(zone: string): DurationCounts;
}

/** Tick times of these zones, in the order in which threads sort them too. */
export function createNodeTickTimes(zones: readonly string[]): NodeTickTimes {
  const bytes = tickTimesBytes(zones.length);
  const own = createTickTimes(zones, new ArrayBuffer(bytes));
  const all = [own];
  const free: SharedArrayBuffer[] = [];
  const read = (zone: string, part: "took" | "late") =>
    addCounts(all.map((times) => times[part].read(zones.indexOf(zone))));
  return {
    note: own.note,
    lend() {
      const known = free.pop();
      if (known) return known;
      const buffer = new SharedArrayBuffer(bytes);
      all.push(createTickTimes(zones, buffer));
      return buffer;
    },
    giveBack: (buffer) => void free.push(buffer),
    took: (zone) => read(zone, "took"),
    late: (zone) => read(zone, "late"),
  };
}
