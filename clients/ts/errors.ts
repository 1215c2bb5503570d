import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { ErrorDetail, FieldViolation } from "../../gen/ts/realmwire/v1/error_pb.ts";

/** How far a chain of causes is followed to find the words that say what went wrong. */
const MAX_CAUSE_DEPTH = 5;

/** Any error of a call or of a stream: the server's own with its reason, or one on the way to it. */
export class RealmwireError extends Error {
  /** The canonical code. `Code.Unavailable` also stands for a server that cannot be reached. */
  readonly code: Code;
  /** Which error it is exactly; `ErrorReason.UNSPECIFIED` when the server did not mean to give it. */
  readonly reason: ErrorReason;
  /** What it is about, by the names that stand in the comment of the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Broken rules of the request. */
  readonly violations: readonly FieldViolation[];
  /** How long to wait before trying again, in milliseconds. Undefined: the server does not say. */
  readonly retryDelayMs: number | undefined;

  constructor(code: Code, message: string, detail?: ErrorDetail, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RealmwireError";
    this.code = code;
    this.reason = detail?.reason ?? ErrorReason.UNSPECIFIED;
    this.metadata = detail?.metadata ?? {};
    this.violations = detail?.violations ?? [];
    this.retryDelayMs = detail?.retryDelay && durationMs(detail.retryDelay);
  }
}

/** Makes a {@link RealmwireError} of whatever was thrown. `address` is named in errors that the server did not mean to give. */
export function toRealmwireError(error: unknown, address?: string): RealmwireError {
  if (error instanceof RealmwireError) return error;
  const connectError = ConnectError.from(error);
  if (error instanceof ConnectError && isBrokenConnection(error)) {
    const peer = address === undefined ? "the server" : address;
    const message = `the connection to ${peer} failed: ${innermostMessage(connectError)}`;
    return new RealmwireError(Code.Unavailable, message, undefined, error);
  }
  const [detail] = connectError.findDetails(ErrorDetailSchema);
  const where = detail || address === undefined ? "" : ` (${address})`;
  return new RealmwireError(connectError.code, connectError.rawMessage + where, detail, error);
}

// What `fetch` and the reading of a body throw is a TypeError, and a stream cut before its end a string.
// Both arrive as the cause of an unknown error; what a server sent has no cause.
function isBrokenConnection(error: ConnectError): boolean {
  if (error.code !== Code.Unknown) return false;
  return error.cause instanceof TypeError || typeof error.cause === "string";
}

function innermostMessage(error: ConnectError): string {
  let message = error.rawMessage;
  let cause: unknown = error.cause;
  for (let depth = 0; depth < MAX_CAUSE_DEPTH && cause instanceof Error; depth++) {
    message = cause.message || ("code" in cause ? String(cause.code) : message);
    cause = cause.cause;
  }
  return message;
}
