import type { KnownSession, SessionCache } from "./session-cache.ts";
import { endError, holds } from "./session-end.ts";
import type { SessionExtensions } from "./session-extensions.ts";
import type { Authenticator } from "./session.ts";
import { isToken, sessionKeyOf } from "./tokens.ts";

/** Creates the finding of sessions by their token; each use prolongs the session. */
export function createAuthenticator(options: {
  readonly cache: SessionCache;
  readonly extensions: Pick<SessionExtensions, "consider">;
  readonly now: () => number;
}): Authenticator {
  const { cache, extensions, now } = options;
  return {
    async authenticate(token) {
      if (!isToken(token)) {
        throw endError({ kind: "ended" });
      }
      const key = sessionKeyOf(token);
      let known = await cache.get(key);
      if (known && isOutdated(known, now())) {
        // Another node may have extended it meanwhile.
        cache.forget(key);
        known = await cache.get(key);
      }
      if (known === undefined) {
        throw endError({ kind: "ended" });
      }
      if (known.kind !== "live") {
        throw endError(known);
      }
      if (known.expiresAtMs <= now()) {
        throw endError({ kind: "ended" });
      }
      extensions.consider(key, known.expiresAtMs);
      return known.session;
    },
  };
}

/** Whether what is remembered has run out: the session, or the ban. */
function isOutdated(known: KnownSession, nowMs: number): boolean {
  if (known.kind === "live") return known.expiresAtMs <= nowMs;
  return known.kind === "banned" && !holds(known.ban, nowMs);
}
