import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";

/** How long callers are told to wait when the database is away, in milliseconds. */
const RETRY_DELAY_MS = 1000;

/** And when its disk is full, which somebody has to see to. */
const FULL_RETRY_DELAY_MS = 5000;

/** The connection to the database is gone, or was never there. */
export class ConnectionLostError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectionLostError";
  }
}

/** A `STORE_UNAVAILABLE` with a delay. */
export function storeUnavailable(cause: unknown): DomainError {
  if (meansFull(cause)) {
    return new DomainError(
      ErrorReason.STORE_UNAVAILABLE,
      "The disk of the database is full: nothing can be stored until there is room.",
      { retryDelayMs: FULL_RETRY_DELAY_MS, cause },
    );
  }
  return new DomainError(
    ErrorReason.STORE_UNAVAILABLE,
    "The database does not answer. Try again in a moment.",
    { retryDelayMs: RETRY_DELAY_MS, cause },
  );
}

/**
 * SQLSTATE classes and codes that say that the database is away, starting, stopping, full or too busy:
 * 08 connection, 28 and 3D not let in, 53 resources, 57 operator, 58 system, 40001 and 40P01 lost against
 * another transaction, 55P03 lock, 25P03 idle for too long. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATE_AWAY = /^(?:08...|28...|3D...|53...|57...|58...|40001|40P01|55P03|25P03)$/;

/** Codes of Node for a peer that is not there. */
const SYSTEM_AWAY =
  /^(?:ECONN\w+|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EAI_\w+)$/;

/** Whether an error means that something could not be written for want of room: SQLSTATE 53100, and the system's codes for a full disk and for a used up share of it. */
export function meansFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT") return true;
  return meansFull(error.cause);
}

/** `pg` gives these errors no code. */
const DRIVER_AWAY =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|driver has already been destroyed)/;

/** Whether an error means that the database cannot be reached or does not answer, as against a mistake in what it was asked. */
export function meansUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ConnectionLostError) return true;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && (SQLSTATE_AWAY.test(code) || SYSTEM_AWAY.test(code))) return true;
  return DRIVER_AWAY.test(error.message) || meansUnavailable(error.cause);
}

/** The name of the unique constraint that a statement broke; undefined when the error is another one. */
export function brokenConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, constraint } = error as { code?: unknown; constraint?: string };
  return code === "23505" ? (constraint ?? "") : undefined;
}
