import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { limitKeyOf } from "../addresses.ts";
import { DomainError } from "../errors.ts";
import type { FailureLimit } from "../failures.ts";
import type { KnownSession, LiveSession, SessionCache } from "./session-cache.ts";
import { endError, holds } from "./session-end.ts";
import type { SessionExtensions } from "./session-extensions.ts";
import type { Authenticator, Session } from "./session.ts";
import { ShownToken } from "./tokens.ts";

/** Finds the session of a key. Rejects with what {@link endError} makes of its end, or with `STORE_UNAVAILABLE`. */
export type SessionFinder = (key: string) => Promise<LiveSession>;

/** Creates the finding of sessions by their key. */
export function createSessionFinder(options: {
  readonly cache: SessionCache;
  readonly now: () => number;
}): SessionFinder {
  const { cache, now } = options;
  return async (key) => {
    let known = await cache.get(key);
    if (known && isOutdated(known, now())) {
      // Another node may have extended it meanwhile.
      cache.forget(key);
      known = await cache.get(key);
    }
    if (known === undefined) {
      throw tokenInvalid();
    }
    if (known.kind !== "live") {
      throw endError(known);
    }
    if (known.expiresAtMs <= now()) {
      throw tokenInvalid();
    }
    return known;
  };
}

/** Whether what is remembered has run out: the session, or the ban. */
function isOutdated(known: KnownSession, nowMs: number): boolean {
  if (known.kind === "live") return known.expiresAtMs <= nowMs;
  return known.kind === "banned" && !holds(known.ban, nowMs);
}

/** Creates the finding of sessions by their token; each use prolongs the session. */
export function createAuthenticator(options: {
  readonly find: SessionFinder;
  readonly cache: Pick<SessionCache, "fresh" | "hasLive">;
  readonly extensions: Pick<SessionExtensions, "consider">;
  /** By address. */
  readonly wrongTokens: FailureLimit;
}): Pick<Authenticator, "authenticate"> {
  const { find, cache, extensions, wrongTokens } = options;

  function use({ session, expiresAtMs }: LiveSession): Session {
    extensions.consider(session.key, expiresAtMs);
    return session;
  }

  async function lookUp(key: string | undefined, peer: string): Promise<Session> {
    // Whoever plays from the same address is not to suffer, and most calls are spared the counting.
    if (key !== undefined && cache.hasLive(key)) return use(await find(key));
    const address = limitKeyOf(peer);
    if (key === undefined) {
      wrongTokens.begin(address);
      throw tokenInvalid();
    }
    return wrongTokens.attempt(address, async () => use(await find(key)), isWrongToken);
  }

  return {
    authenticate(token, peer) {
      const { key } = typeof token === "string" ? new ShownToken(token) : token;
      const fresh = key === undefined ? undefined : cache.fresh(key);
      return fresh ? use(fresh) : lookUp(key, peer);
    },
  };
}

/** Whether the token is to blame, not the store. */
function isWrongToken(error: unknown): boolean {
  return error instanceof DomainError && error.reason !== ErrorReason.STORE_UNAVAILABLE;
}

function tokenInvalid(): DomainError {
  return endError({ kind: "ended" });
}
