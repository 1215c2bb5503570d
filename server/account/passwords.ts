import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { formatPhc, parsePhc, type PasswordHash } from "./phc.ts";

/** Memory of one hash, in KiB: 19 MiB, the least that OWASP's password storage guide names for two passes. */
const MEMORY_KIB = 19_456;
/** Passes over the memory. */
const PASSES = 2;
/** Lanes of one hash. */
const PARALLELISM = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/**
 * Hashes that are computed at once, at most. Each takes one of the four threads of Node's pool; the other two are left
 * for files and names.
 */
const MAX_RUNNING_HASHES = 2;
/** Hashes that may wait for their turn, whatever they take. */
const MAX_WAITING_HASHES = 1_000;
/** How long a hash may have to wait, in milliseconds: somebody logs in meanwhile and gives a call 10 seconds. Beyond: TOO_MANY_CALLS. */
const MAX_WAIT_MS = 7_500;
/** How long a hash takes until one was computed, in milliseconds. */
const USUAL_HASH_MS = 30;
/** The least and the most that those are told to wait who are sent away, in milliseconds. */
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** What the last hash counts for in the average. */
const LAST_COUNTS = 0.1;

/**
 * A record that no password fits, as dear as a real one: checked when there is no such account, so that a
 * wrong name takes as long as a wrong password.
 */
const DECOY: PasswordHash = {
  memoryKib: MEMORY_KIB,
  passes: PASSES,
  parallelism: PARALLELISM,
  salt: new Uint8Array(SALT_BYTES),
  tag: new Uint8Array(TAG_BYTES),
};

/** Settings of {@link createPasswords}. */
export interface PasswordsOptions {
  /** Hashes computed at once. Default: {@link hashesAtOnce} of this machine's cores. */
  readonly maxRunning?: number;
  /** Hashes that may wait for their turn. Default 1,000. */
  readonly maxWaiting?: number;
  /** How long one may have to wait, as it is reckoned when it comes, in milliseconds. Default 7.5 seconds. */
  readonly maxWaitMs?: number;
}

/**
 * Hashes and checks passwords, off the main thread. Both reject with `TOO_MANY_CALLS` when too many wait,
 * and with the signal's reason when it aborts before their turn.
 */
export interface Passwords {
  /** The argon2id hash of a password with a new salt, as a PHC string. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether the password fits a PHC string. Without one the answer is false and takes as long. Rejects when the
   * string is damaged.
   */
  verify(password: string, phc: string | undefined, signal?: AbortSignal): Promise<boolean>;
}

/**
 * How many hashes may be computed at once on so many cores: one core is left to the thread that runs the world, so that
 * who plays does not notice who logs in.
 */
export function hashesAtOnce(cores: number): number {
  return Math.min(MAX_RUNNING_HASHES, Math.max(1, cores - 1));
}

/** Creates the hashing of passwords, with its own bounded queue. */
export function createPasswords(options: PasswordsOptions = {}): Passwords {
  const queue = createQueue(
    options.maxRunning ?? hashesAtOnce(availableParallelism()),
    options.maxWaiting ?? MAX_WAITING_HASHES,
    options.maxWaitMs ?? MAX_WAIT_MS,
  );
  return {
    async hash(password, signal) {
      const salt = new Uint8Array(randomBytes(SALT_BYTES));
      const fresh = { ...DECOY, salt };
      const tag = await queue.run(() => compute(password, fresh), signal);
      return formatPhc({ ...fresh, tag });
    },
    async verify(password, phc, signal) {
      const stored = phc === undefined ? DECOY : parsePhc(phc);
      const tag = await queue.run(() => compute(password, stored), signal);
      return timingSafeEqual(tag, stored.tag) && stored !== DECOY;
    },
  };
}

function compute(password: string, hash: PasswordHash): Promise<Uint8Array> {
  const parameters = {
    // The same letters can be typed as different code points (NIST SP 800-63B asks for this).
    message: password.normalize("NFKC"),
    nonce: hash.salt,
    memory: hash.memoryKib,
    passes: hash.passes,
    parallelism: hash.parallelism,
    tagLength: hash.tag.length,
  };
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}

interface Queue {
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/**
 * Runs at most `maxRunning` pieces of work at once, the others in the order in which they came. Who would have to wait longer than
 * `maxWaitMs` is told when to come back; each is given another moment, as far apart as pieces of work are, so that
 * they find room and do not all come at once again.
 */
function createQueue(maxRunning: number, maxWaiting: number, maxWaitMs: number): Queue {
  // A set keeps its order and forgets an item in constant time.
  const waiting = new Set<() => void>();
  let running = 0;
  /** How long one piece of work takes on average. */
  let workMs = USUAL_HASH_MS;
  /** When the last one comes back who was sent away. */
  let lastReturnAt = 0;

  function retryDelayMs(): number {
    const now = performance.now();
    const next = Math.max(now + MIN_RETRY_MS, lastReturnAt + workMs / maxRunning);
    lastReturnAt = Math.min(next, now + MAX_RETRY_MS);
    return Math.ceil(lastReturnAt - now);
  }

  function turn(signal: AbortSignal | undefined): Promise<void> {
    if (running < maxRunning) {
      running++;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting || (waiting.size * workMs) / maxRunning > maxWaitMs) {
      throw new DomainError(ErrorReason.TOO_MANY_CALLS, "too many logins at once", {
        retryDelayMs: retryDelayMs(),
      });
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.delete(begin);
        reject(signal?.reason);
      };
      waiting.add(begin);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  function next(): void {
    const [begin] = waiting;
    if (begin === undefined) {
      running--;
      return;
    }
    // The place goes from one to the next, so that nobody who comes in between takes it.
    waiting.delete(begin);
    begin();
  }

  return {
    async run(work, signal) {
      signal?.throwIfAborted();
      await turn(signal);
      const began = performance.now();
      try {
        return await work();
      } finally {
        workMs += (performance.now() - began - workMs) * LAST_COUNTS;
        next();
      }
    },
  };
}
