import { ErrorReason, ErrorReasonSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { commentOf, type ReferenceCall } from "./protocol.ts";

/** What any call may fail with, whatever it does. */
export const EVERY_CALL: readonly ErrorReason[] = [
  ErrorReason.INVALID_FIELDS,
  ErrorReason.MALFORMED,
  ErrorReason.MESSAGE_TOO_LARGE,
  ErrorReason.UNSUPPORTED,
  ErrorReason.DEADLINE_PASSED,
  ErrorReason.TOO_MANY_CALLS,
  ErrorReason.STORE_UNAVAILABLE,
  ErrorReason.DRAINING,
];

/** What calls that need a login may fail with besides. */
export const CALLS_WITH_LOGIN: readonly ErrorReason[] = [
  ErrorReason.LOGIN_REQUIRED,
  ErrorReason.TOKEN_INVALID,
  ErrorReason.SESSION_REPLACED,
  ErrorReason.ZONE_START_TIMEOUT,
  ErrorReason.ZONE_STOPPED,
];

/** The line of a call's comment that names its errors. */
const ERRORS_LINE = /^Errors: ([A-Z_, ]+)\.$/m;
const PREFIX = "ERROR_REASON_";

/** The name of a reason, such as `NAME_TAKEN`. */
export function reasonName(reason: ErrorReason): string {
  const name = ErrorReasonSchema.value[reason]?.name;
  if (name === undefined) throw new Error(`${reason} is no reason`);
  return name.slice(PREFIX.length);
}

/** The errors that the comment of a call names. Throws an `Error` when it names one that does not exist. */
export function ownErrors({ method }: ReferenceCall): ErrorReason[] {
  const names = ERRORS_LINE.exec(commentOf(method))?.[1]?.split(", ") ?? [];
  return names.map((name) => {
    const reason = (ErrorReason as Readonly<Record<string, ErrorReason | undefined>>)[name];
    if (reason === undefined) throw new Error(`${method.toString()} names no error: ${name}`);
    return reason;
  });
}

/** All that a call may fail with, each once. */
export function errorsOf(call: ReferenceCall): ErrorReason[] {
  const { role } = call.access;
  return [
    ...new Set([
      ...ownErrors(call),
      ...EVERY_CALL,
      ...(role >= Role.PLAYER ? CALLS_WITH_LOGIN : []),
      ...(role > Role.PLAYER ? [ErrorReason.ROLE_TOO_LOW] : []),
    ]),
  ];
}

/** The comment of a call without the line that names its errors. */
export function callText({ method }: ReferenceCall): string {
  return commentOf(method).replace(ERRORS_LINE, "").trim();
}
