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
/** Hashes that wait for their turn; at 30 ms each the last one waits 15 s, or 30 s one by one. Beyond: TOO_MANY_CALLS. */
const MAX_WAITING_HASHES = 1_000;
/** What a caller is told to wait when the queue is full, in milliseconds: by then a good part of it is done. */
const QUEUE_FULL_RETRY_MS = 5_000;

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

/** Runs at most `maxRunning` pieces of work at once, the others in the order in which they came. */
function createQueue(maxRunning: number, maxWaiting: number): Queue {
  // A set keeps its order and forgets an item in constant time.
  const waiting = new Set<() => void>();
  let running = 0;

  function turn(signal: AbortSignal | undefined): Promise<void> {
    if (running < maxRunning) {
      running++;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting) {
      throw new DomainError(ErrorReason.TOO_MANY_CALLS, "too many logins at once", {
        retryDelayMs: QUEUE_FULL_RETRY_MS,
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
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
