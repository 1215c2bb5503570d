/** The local time and the timers that the SDK uses. Tests and replays pass their own. */
export interface Clock {
  /** Milliseconds since any fixed moment; never goes back. */
  now(): number;
  /** Runs something once, `delayMs` from now. The answer takes it back. */
  after(delayMs: number, run: () => void): () => void;
}

/** The clock of the machine. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
