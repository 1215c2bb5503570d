import type { Writable } from "node:stream";

/** How long a client may take nothing of what waits for it until it is cut off. Systems keep megabytes on the way, and tell of progress only in large steps. */
export const STALLED_READER_TIMEOUT_MS = 120_000;
/** How many times within that time clients are looked at. */
const LOOKS = 4;

/** What answers are written to: a connection of HTTP/1.1 or a stream of HTTP/2. */
export type Outlet = Pick<Writable, "writableNeedDrain" | "once" | "destroy"> & {
  /** Bytes that were given to it so far, where it counts them. */
  readonly bytesWritten?: number;
  readonly writableLength: number;
};

/** Cuts off clients that stay connected and do not read: nothing is made for them, but what they were sent last is held, and their characters stand in the world. */
export interface StalledReaders {
  start(): void;
  close(): void;
}

interface Suspicion {
  readonly since: number;
  /** What had left the server then. */
  readonly sent: number;
}

/** Looks at all outlets now and then; `cutOff` is told of each that is cut off. */
export function createStalledReaders(options: {
  readonly outlets: () => Iterable<Outlet>;
  readonly timeoutMs: number;
  readonly onCutOff: () => void;
}): StalledReaders {
  const { timeoutMs } = options;
  const suspicions = new WeakMap<Outlet, Suspicion>();
  let timer: NodeJS.Timeout | undefined;

  function look(outlet: Outlet, now: number): void {
    if (!outlet.writableNeedDrain) return;
    const sent = (outlet.bytesWritten ?? 0) - outlet.writableLength;
    const before = suspicions.get(outlet);
    if (!before || before.sent !== sent) {
      if (!before) outlet.once("drain", () => suspicions.delete(outlet));
      suspicions.set(outlet, { since: now, sent });
    } else if (now - before.since >= timeoutMs) {
      options.onCutOff();
      outlet.destroy();
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        const now = performance.now();
        for (const outlet of options.outlets()) look(outlet, now);
      }, timeoutMs / LOOKS);
      timer.unref();
    },
    close: () => clearInterval(timer),
  };
}
