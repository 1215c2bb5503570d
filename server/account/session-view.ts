import { timestampMs } from "@bufbuild/protobuf/wkt";
import type {
  AccountRecord,
  CharacterRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { SessionView } from "../store/store.ts";
import type { KnownSession } from "./session-cache.ts";
import { endOf, holds } from "./session-end.ts";
import type { Session } from "./session.ts";
import { sessionKey } from "./tokens.ts";

/** The session as the calls of its holder see it. */
export function toSession(
  tokenHash: Uint8Array,
  account: AccountRecord,
  character: CharacterRecord | undefined,
): Session {
  return {
    key: sessionKey(tokenHash),
    accountId: account.id,
    accountName: account.name,
    role: account.role,
    character: character && { id: character.id, name: character.name },
  };
}

/** What the store's answer says of a session, at a time in milliseconds since 1970-01-01. */
export function toKnownSession(
  view: SessionView | undefined,
  nowMs: number,
): KnownSession | undefined {
  if (view === undefined) {
    return undefined;
  }
  const { tokenHash, state, expiresAt, endReason } = view.session;
  const { id: accountId, ban } = view.account;
  // Whatever became of the session: this is what its holder has to know.
  if (holds(ban, nowMs)) {
    return { kind: "banned", accountId, ban };
  }
  const end = endOf(state, endReason);
  if (end) {
    return end;
  }
  return {
    kind: "live",
    session: toSession(tokenHash, view.account, view.character),
    expiresAtMs: expiresAt === undefined ? 0 : timestampMs(expiresAt),
  };
}
