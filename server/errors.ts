import { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";

/** What may go with a {@link DomainError}. */
export interface DomainErrorDetails {
  /** What the error is about, by the names that the reason's comment in `error.proto` gives. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Broken rules of the request, for `INVALID_FIELDS` and `EDIT_REFUSED`. */
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
  /** How long the caller should wait before trying again, in milliseconds. */
  readonly retryDelayMs?: number;
  /** What went wrong underneath: logged, never sent. */
  readonly cause?: unknown;
}

/**
 * An error that the server means to give. One place, the call pipeline, turns its reason into a
 * canonical code and an `ErrorDetail` message; any other error reaches the caller as `internal`.
 */
export class DomainError extends Error {
  readonly reason: ErrorReason;
  readonly details: DomainErrorDetails;

  constructor(reason: ErrorReason, message: string, details: DomainErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "DomainError";
    this.reason = reason;
    this.details = details;
  }
}

/** Whether an error is a {@link DomainError} with this reason. */
export function hasReason(error: unknown, reason: ErrorReason): error is DomainError {
  return error instanceof DomainError && error.reason === reason;
}

/** The error for a name that somebody or something else has. */
export function nameTaken(name: string): DomainError {
  return new DomainError(ErrorReason.NAME_TAKEN, `the name "${name}" is taken`, {
    metadata: { name },
  });
}
