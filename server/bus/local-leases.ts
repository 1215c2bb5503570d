import type { Lease } from "./bus.ts";

/** Leases that are kept in memory. */
export interface LeaseTable {
  /** Takes a lease, or gives undefined when somebody holds it. */
  acquire(key: string, value: Uint8Array, ttlMs: number): Lease | undefined;
  /** What the holder wrote; undefined when nobody holds it. */
  read(key: string): Uint8Array | undefined;
}

interface Held {
  readonly value: Uint8Array;
  expiresAtMs: number;
}

/**
 * Creates an empty table. A lease that ran out is found out when somebody asks for it, so no timer runs;
 * `now` is a clock in milliseconds that does not go back.
 */
export function createLeaseTable({ now }: { now: () => number }): LeaseTable {
  const table = new Map<string, Held>();

  function find(key: string): Held | undefined {
    const held = table.get(key);
    if (held === undefined || now() < held.expiresAtMs) return held;
    table.delete(key);
    return undefined;
  }

  function acquire(key: string, value: Uint8Array, ttlMs: number): Lease | undefined {
    if (!(ttlMs > 0))
      throw new TypeError(`a lease's time to live is ${ttlMs}, but must be more than 0`);
    if (find(key) !== undefined) return undefined;
    const mine: Held = { value, expiresAtMs: now() + ttlMs };
    table.set(key, mine);
    return {
      key,
      renew: async () => {
        if (find(key) !== mine) return false;
        mine.expiresAtMs = now() + ttlMs;
        return true;
      },
      release: async () => {
        if (find(key) === mine) table.delete(key);
      },
    };
  }

  return { acquire, read: (key) => find(key)?.value };
}
