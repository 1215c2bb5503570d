import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";

/** How connect words what it calls internal, although it is the request that is broken. */
const BROKEN_REQUEST = /^(?:parse binary|received compressed envelope)\b/;

/** How connect words a request that is too large. */
const TOO_LARGE = /is larger than configured readMaxBytes (\d+)\b/;

/** Why a transport refuses a request, by the code that it gives. */
const REASONS: ReadonlyMap<Code, ErrorReason> = new Map([
  [Code.InvalidArgument, ErrorReason.MALFORMED],
  [Code.ResourceExhausted, ErrorReason.MESSAGE_TOO_LARGE],
  [Code.Unimplemented, ErrorReason.UNSUPPORTED],
  [Code.DeadlineExceeded, ErrorReason.DEADLINE_PASSED],
]);

/**
 * An error of a transport with an `ErrorDetail`, so that a client finds the reason of every refusal in the same place. One that has details already,
 * or is nobody's refusal, stays as it is. A request that is no Protobuf is the caller's fault, which connect does not say of it.
 */
export function explainError(error: ConnectError): ConnectError {
  if (error.details.length > 0) return error;
  const { rawMessage, metadata } = error;
  const isBroken = error.code === Code.Internal && BROKEN_REQUEST.test(rawMessage);
  const code = isBroken ? Code.InvalidArgument : error.code;
  const reason = REASONS.get(code);
  const limit = TOO_LARGE.exec(rawMessage)?.[1];
  if (reason === undefined || (code === Code.ResourceExhausted && limit === undefined))
    return error;
  const value = { reason, ...(limit !== undefined && { metadata: { limit } }) };
  return new ConnectError(rawMessage, code, metadata, [{ desc: ErrorDetailSchema, value }]);
}
