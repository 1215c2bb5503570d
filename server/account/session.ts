import type { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";

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

/** Finds the session of a token. */
export interface Authenticator {
  /** Rejects with a `DomainError`: `TOKEN_INVALID`, `SESSION_REPLACED` or `STORE_UNAVAILABLE`. */
  authenticate(token: string): Promise<Session>;
}
