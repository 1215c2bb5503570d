/** How many callers a limiter remembers. When more come, those that did not call for longest are forgotten, which fills their buckets. */
export const MAX_BUCKETS = 100_000;

/** Counts what each caller does against a limit. */
export interface Limiter {
  /** Takes calls from the caller's bucket, one by default, never more than `burst`. Answers 0, or, having taken none, how many milliseconds to wait until there are so many. */
  take(caller: string, count?: number): number;
  /** Puts one back that was taken, as if it had not been. */
  giveBack(caller: string): void;
  /** How many callers are remembered now. */
  readonly size: number;
}

/** Options of {@link createLimiter}. */
export interface LimiterOptions {
  /** What one caller may sustain a second. */
  readonly perSecond: number;
  /** What one caller may do at once. */
  readonly burst: number;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  /** Default: {@link MAX_BUCKETS}. */
  readonly maxBuckets?: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * A token bucket for each caller: `burst` calls at once, refilled at `perSecond`. In any span of t seconds a
 * caller that is remembered gets no more than `burst + perSecond * t` calls.
 *
 * The oldest are forgotten by halves: callers move into the young half when they call, and when it is full it becomes
 * the old one. So whoever is among the last `maxBuckets / 2` callers is never forgotten, and no call pays
 * for keeping an order.
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { burst, now } = options;
  const perMs = options.perSecond / 1000;
  const half = Math.max(1, Math.floor((options.maxBuckets ?? MAX_BUCKETS) / 2));
  let young = new Map<string, Bucket>();
  let old = new Map<string, Bucket>();

  function find(caller: string, time: number): Bucket {
    const known = young.get(caller);
    if (known !== undefined) return known;
    const bucket = old.get(caller) ?? { tokens: burst, filledAt: time };
    if (young.size >= half) {
      old = young;
      young = new Map();
    } else {
      old.delete(caller);
    }
    young.set(caller, bucket);
    return bucket;
  }

  return {
    take(caller, count = 1) {
      const time = now();
      const bucket = find(caller, time);
      const tokens = Math.min(burst, bucket.tokens + (time - bucket.filledAt) * perMs);
      bucket.filledAt = time;
      if (tokens >= count) {
        bucket.tokens = tokens - count;
        return 0;
      }
      bucket.tokens = tokens;
      return Math.ceil((count - tokens) / perMs);
    },
    giveBack(caller) {
      const bucket = young.get(caller) ?? old.get(caller);
      if (bucket !== undefined) bucket.tokens = Math.min(burst, bucket.tokens + 1);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
