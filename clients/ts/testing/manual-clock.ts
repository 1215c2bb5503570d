import type { Clock } from "../clock.ts";

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Lets time pass, running what falls due in between, in order. */
  advance(ms: number): void;
  /** How many timers are set. */
  readonly pending: number;
}

/** Creates a clock that shows 0. */
export function createManualClock(): ManualClock {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const nextDue = (end: number) =>
    [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  return {
    now: () => now,
    get pending() {
      return timers.size;
    },
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (let due = nextDue(end); due; due = nextDue(end)) {
        timers.delete(due);
        now = due.at;
        due.run();
      }
      now = end;
    },
  };
}
