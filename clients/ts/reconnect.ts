import { Code } from "@connectrpc/connect";
import type { RealmwireError } from "./errors.ts";

/** How a stream reconnects. */
export interface ReconnectPolicy {
  /** The first pause, in milliseconds; each further one is twice as long. Default: 250. */
  readonly firstDelayMs: number;
  /** The longest pause, in milliseconds. Default: 10 seconds. */
  readonly maxDelayMs: number;
  /** Failures in a row after which a stream that was connected before gives up. Default: 12, somewhat over a minute. */
  readonly maxAttempts: number;
  /** Failures in a row after which a stream that never was connected gives up. Default: 3. */
  readonly maxFirstAttempts: number;
  /** How long a connection has to live for the failures before it to be forgotten, in milliseconds. Default: 10 seconds. */
  readonly healthyAfterMs: number;
}

/** The defaults of {@link ReconnectPolicy}. */
export const DEFAULT_RECONNECT_POLICY: ReconnectPolicy = {
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  maxAttempts: 12,
  maxFirstAttempts: 3,
  healthyAfterMs: 10_000,
};

/** Codes of errors that come again however often one reconnects. */
const PERMANENT_CODES: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.Unauthenticated,
]);

/** Whether reconnecting cannot mend the error: a login that is missing or was replaced, no character, a wrong address. */
export function isPermanent(error: RealmwireError): boolean {
  return PERMANENT_CODES.has(error.code);
}

/**
 * The pause before reconnecting after so many failures in a row (1: the first), in milliseconds: exponential,
 * between half and the whole of its bound by chance, so that clients who lost a server do not all return
 * at once. Never shorter than what the server asks for. `random` gives numbers from 0 to below 1.
 */
export function reconnectDelayMs(
  failures: number,
  error: RealmwireError,
  policy: ReconnectPolicy,
  random: () => number,
): number {
  const bound = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failures - 1));
  return Math.max(error.retryDelayMs ?? 0, (bound * (1 + random())) / 2);
}
