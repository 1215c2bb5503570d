import { setTimeout as wait } from "node:timers/promises";
import { type RealmwireError, toRealmwireError } from "../ts/errors.ts";
import {
  DEFAULT_RECONNECT_POLICY,
  isPermanent,
  reconnectDelayMs,
  type ReconnectPolicy,
} from "../ts/reconnect.ts";
import { UpdateError } from "./errors.ts";

/** Failures in a row, without a byte in between, after which an update is given up that had reached the server: half a minute. */
const MAX_ATTEMPTS = 8;
/** The longest pause that a server may ask for, in milliseconds. One that asks for more ends the update. */
const MAX_ASKED_DELAY_MS = 10 * 60 * 1000;

/** How an update goes on after the connection was lost. */
export type RetryPolicy = Pick<
  ReconnectPolicy,
  "firstDelayMs" | "maxDelayMs" | "maxAttempts" | "maxFirstAttempts"
>;

/** A failure after which it is tried again. */
export interface Retry {
  readonly error: RealmwireError;
  /** How many failures in a row there were. */
  readonly attempt: number;
  readonly retryInMs: number;
}

/** Counts failures, and waits. */
export interface Retries {
  /** The server has answered: from now on a loss of the connection is likely to pass. */
  noteAnswer(): void;
  /**
   * Waits before the next try. Rejects with the error when trying again is of no use or was tried often enough, and with the
   * signal's reason. What was worth it (`madeProgress`) starts the count anew.
   */
  afterFailure(error: unknown, madeProgress: boolean): Promise<void>;
}

/** Creates the counter of one update. */
export function createRetries(options: {
  readonly address?: string;
  readonly policy?: Partial<RetryPolicy>;
  readonly signal: AbortSignal;
  readonly onRetry: (retry: Retry) => void;
}): Retries {
  const { signal, address } = options;
  const policy = { ...DEFAULT_RECONNECT_POLICY, maxAttempts: MAX_ATTEMPTS, ...options.policy };
  let failures = 0;
  let bound = policy.maxFirstAttempts;
  return {
    noteAnswer() {
      failures = 0;
      bound = policy.maxAttempts;
    },
    async afterFailure(cause, madeProgress) {
      signal.throwIfAborted();
      if (cause instanceof UpdateError || isOfFileSystem(cause)) throw cause;
      const error = toRealmwireError(cause, address);
      failures = madeProgress ? 1 : failures + 1;
      const isTooLong = (error.retryDelayMs ?? 0) > MAX_ASKED_DELAY_MS;
      if (isPermanent(error) || isTooLong || failures >= bound) throw error;
      const retryInMs = reconnectDelayMs(failures, error, policy, Math.random);
      options.onRetry({ error, attempt: failures, retryInMs });
      await wait(retryInMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
  };
}

/** Whether an error is of this machine's files. Those of a connection are wrapped in errors of the call. */
function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
