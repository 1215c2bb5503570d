import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type AccountRecord,
  type CharacterRecord,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { SessionView } from "../store/store.ts";
import type { KnownSession } from "./session-cache.ts";
import { type EndState, isEnd } from "./session-news.ts";
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

/** What the store's answer says of a session. */
export function toKnownSession(view: SessionView | undefined): KnownSession | undefined {
  if (view === undefined) {
    return undefined;
  }
  const { tokenHash, state, expiresAt } = view.session;
  if (isEnd(state)) {
    return toKnownEnd(state);
  }
  return {
    kind: "live",
    session: toSession(tokenHash, view.account, view.character),
    expiresAtMs: expiresAt === undefined ? 0 : timestampMs(expiresAt),
  };
}

/** What is known of a session after its end. */
export function toKnownEnd(state: EndState): KnownSession {
  return { kind: state === SessionState.REPLACED ? "replaced" : "ended" };
}
