import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { CallContext } from "./admission.ts";
import { explainError } from "./transport-errors.ts";

type MeantReason = Exclude<(typeof ErrorReason)[keyof typeof ErrorReason], 0>;

// The comments of `error.proto` say the same, and a test compares the two. A reason that is missing here does not compile.
const codes: Readonly<Record<MeantReason, Code>> = {
  [ErrorReason.INVALID_FIELDS]: Code.InvalidArgument,
  [ErrorReason.LOGIN_REQUIRED]: Code.Unauthenticated,
  [ErrorReason.TOKEN_INVALID]: Code.Unauthenticated,
  [ErrorReason.CREDENTIALS_WRONG]: Code.Unauthenticated,
  [ErrorReason.SESSION_REPLACED]: Code.Unauthenticated,
  [ErrorReason.ROLE_TOO_LOW]: Code.PermissionDenied,
  [ErrorReason.ATTRIBUTE_FORBIDDEN]: Code.PermissionDenied,
  [ErrorReason.NAME_TAKEN]: Code.AlreadyExists,
  [ErrorReason.NAME_UNKNOWN]: Code.NotFound,
  [ErrorReason.ATTRIBUTE_UNKNOWN]: Code.NotFound,
  [ErrorReason.ZONE_UNKNOWN]: Code.NotFound,
  [ErrorReason.CHARACTER_UNKNOWN]: Code.NotFound,
  [ErrorReason.NO_CHARACTER]: Code.FailedPrecondition,
  [ErrorReason.TOO_MANY_CHARACTERS]: Code.FailedPrecondition,
  [ErrorReason.CHARACTER_IN_USE]: Code.FailedPrecondition,
  [ErrorReason.NOT_ONLINE]: Code.FailedPrecondition,
  [ErrorReason.EDIT_REFUSED]: Code.FailedPrecondition,
  [ErrorReason.REVISION_CONFLICT]: Code.Aborted,
  [ErrorReason.RELEASE_UNKNOWN]: Code.NotFound,
  [ErrorReason.RELEASE_UNUSABLE]: Code.FailedPrecondition,
  [ErrorReason.TOO_MANY_CALLS]: Code.ResourceExhausted,
  [ErrorReason.STORE_UNAVAILABLE]: Code.Unavailable,
  [ErrorReason.DRAINING]: Code.Unavailable,
  [ErrorReason.ZONE_START_TIMEOUT]: Code.DeadlineExceeded,
  [ErrorReason.ZONE_STOPPED]: Code.Unavailable,
  [ErrorReason.TOO_MANY_STREAMS]: Code.ResourceExhausted,
  [ErrorReason.VALUE_OUT_OF_RANGE]: Code.OutOfRange,
  [ErrorReason.CHARACTER_CHANGED]: Code.Aborted,
  [ErrorReason.MALFORMED]: Code.InvalidArgument,
  [ErrorReason.MESSAGE_TOO_LARGE]: Code.ResourceExhausted,
  [ErrorReason.UNSUPPORTED]: Code.Unimplemented,
  [ErrorReason.DEADLINE_PASSED]: Code.DeadlineExceeded,
  [ErrorReason.TOO_MANY_FAILURES]: Code.ResourceExhausted,
  [ErrorReason.TOO_MANY_CONNECTIONS]: Code.ResourceExhausted,
  [ErrorReason.REQUEST_TOO_SLOW]: Code.DeadlineExceeded,
  [ErrorReason.ACCOUNT_BANNED]: Code.PermissionDenied,
  [ErrorReason.KICKED]: Code.Unauthenticated,
  [ErrorReason.NOT_TO_ONESELF]: Code.FailedPrecondition,
  [ErrorReason.BACKUP_UNAVAILABLE]: Code.FailedPrecondition,
  [ErrorReason.ZONE_NOT_RUNNING]: Code.FailedPrecondition,
};

/** The canonical code of a reason. Undefined for `UNSPECIFIED` and for numbers that are no reason. */
export function codeOf(reason: ErrorReason): Code | undefined {
  return (codes as Readonly<Record<number, Code>>)[reason];
}

/** The error that a caller is sent, with its `ErrorDetail`. */
export function toConnectError(error: DomainError): ConnectError {
  const code = codeOf(error.reason) ?? Code.Internal;
  const details = [{ desc: ErrorDetailSchema, value: detailOf(error) }];
  return wellFormed(new ConnectError(error.message, code, undefined, details));
}

/** Where an error happened. */
export interface FailedCall {
  /** The call's full name, such as `realmwire.v1.WorldService/Move`. */
  readonly name: string;
  readonly context: Pick<CallContext, "signal" | "requestId">;
}

/**
 * Makes of any error the one that the caller is sent. A `DomainError` gets its code and an `ErrorDetail`; a `ConnectError`
 * is explained, see {@link explainError}; the end of the call's signal becomes the reason of that end, or `canceled`;
 * anything else becomes `internal`, and what it was is only logged.
 */
export type ErrorMapper = (error: unknown, call: FailedCall) => ConnectError;

/** Makes an {@link ErrorMapper} that logs what nobody meant to happen, and tells the reasons of what somebody did. */
export function createErrorMapper(
  logger: Logger,
  onRefused?: (reason: ErrorReason) => void,
): ErrorMapper {
  return (error, { name, context }) => {
    const meant = endOf(error, context.signal);
    if (meant instanceof DomainError && codeOf(meant.reason) !== undefined) {
      onRefused?.(meant.reason);
      if (meant.cause !== undefined) {
        logger.warn(
          { err: meant, call: name, requestId: context.requestId },
          "a call was refused because of a fault",
        );
      }
      return toConnectError(meant);
    }
    if (meant instanceof ConnectError) return wellFormed(explainError(meant));
    logger.error({ err: meant, call: name, requestId: context.requestId }, "a call failed");
    return new ConnectError("internal error", Code.Internal);
  };
}

// gRPC percent-encodes the message, and half a surrogate pair has no encoding.
function wellFormed(error: ConnectError): ConnectError {
  const { rawMessage, code, metadata, details } = error;
  if (rawMessage.isWellFormed()) return error;
  const copy = new ConnectError(rawMessage.toWellFormed(), code, metadata);
  copy.details = details;
  return copy;
}

// Code that waits with a signal throws the signal's reason, or an AbortError of its own that says nothing more.
function endOf(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return error;
  const isEnd = error === signal.reason || (error instanceof Error && error.name === "AbortError");
  if (!isEnd) return error;
  const { reason } = signal;
  if (reason instanceof ConnectError || reason instanceof DomainError) return reason;
  return new ConnectError("the call was ended", Code.Canceled);
}

function detailOf(error: DomainError): MessageInitShape<typeof ErrorDetailSchema> {
  const { metadata, violations, retryDelayMs } = error.details;
  return {
    reason: error.reason,
    ...(metadata && { metadata: { ...metadata } }),
    ...(violations && { violations: [...violations] }),
    ...(retryDelayMs !== undefined && { retryDelay: durationFromMs(retryDelayMs) }),
  };
}
