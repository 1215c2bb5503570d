import { timestampMs } from "@bufbuild/protobuf/wkt";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Ban } from "../../gen/ts/realmwire/v1/user_pb.ts";
import { DomainError } from "../errors.ts";

/** How a session ended. */
export type SessionEnd =
  | { readonly kind: "replaced" }
  | { readonly kind: "ended" }
  | { readonly kind: "kicked"; readonly reason: string }
  | { readonly kind: "banned"; readonly accountId: number; readonly ban: Ban };

/** The end that a stored state stands for; undefined: the session goes on. */
export function endOf(state: SessionState, reason: string): SessionEnd | undefined {
  switch (state) {
    case SessionState.REPLACED:
      return { kind: "replaced" };
    case SessionState.ENDED:
      return { kind: "ended" };
    case SessionState.KICKED:
      return { kind: "kicked", reason };
    default:
      return undefined;
  }
}

/** What the holder of a session that ended is told. */
export function endError(end: SessionEnd): DomainError {
  switch (end.kind) {
    case "replaced":
      return new DomainError(ErrorReason.SESSION_REPLACED, "the character was logged in again");
    case "ended":
      return new DomainError(ErrorReason.TOKEN_INVALID, "the token is unknown or no longer works");
    case "kicked": {
      const { reason } = end;
      const message = `an admin ended the session${reason && `: ${reason}`}`;
      return new DomainError(ErrorReason.KICKED, message, { metadata: { reason } });
    }
    case "banned":
      return bannedError(end.ban);
  }
}

/** The error for an account that is banned. */
export function bannedError({ reason, until }: Ban): DomainError {
  const untilText = until && new Date(timestampMs(until)).toISOString();
  return new DomainError(
    ErrorReason.ACCOUNT_BANNED,
    `the account is banned ${untilText === undefined ? "for good" : `until ${untilText}`}: ${reason}`,
    { metadata: { reason, ...(untilText !== undefined && { until: untilText }) } },
  );
}

/** Whether a ban holds at a time, in milliseconds since 1970-01-01. */
export function holds(ban: Ban | undefined, nowMs: number): ban is Ban {
  return ban !== undefined && (ban.until === undefined || timestampMs(ban.until) > nowMs);
}
