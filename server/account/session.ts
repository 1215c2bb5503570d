import type { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { DomainError } from "../errors.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { ShownToken } from "./tokens.ts";

/** A live session, as the calls of its holder see it. */
export interface Session {
  /** SHA-256 of the token in hex: what the session is known by inside the server. */
  readonly key: string;
  readonly accountId: number;
  readonly accountName: string;
  readonly role: Role;
  /** The character that the session plays. */
  readonly character: { readonly id: number; readonly name: string } | undefined;
}

/** What became of a session that somebody holds on to: as it is now, or the error with which its calls end from now on. */
export type SessionStanding =
  | { readonly kind: "live"; readonly session: Session }
  | { readonly kind: "over"; readonly error: DomainError };

/** Finds the session of a token. */
export interface Authenticator {
  /**
   * Rejects with a `DomainError`: `TOKEN_INVALID`, `SESSION_REPLACED`, `KICKED`, `ACCOUNT_BANNED` or `STORE_UNAVAILABLE`; and with `TOO_MANY_FAILURES` when too many
   * wrong tokens came from the address, unless the token is one that is known to be good. A session that is known is there at once.
   */
  authenticate(token: string | ShownToken, peer: string): MaybePromise<Session>;
  /** Tells when a session ends, runs out, or when its account's role changes, until the subscription is closed. Holding on to a session does not prolong it. */
  watch(session: Session, listener: (news: SessionStanding) => void): { close(): void };
}
