import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import type { SessionCache } from "./session-cache.ts";
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
        throw tokenInvalid();
      }
      const key = sessionKeyOf(token);
      let known = await cache.get(key);
      if (known?.kind === "live" && known.expiresAtMs <= now()) {
        // Another node may have extended it meanwhile.
        cache.forget(key);
        known = await cache.get(key);
      }
      switch (known?.kind) {
        case "live":
          if (known.expiresAtMs <= now()) {
            throw tokenInvalid();
          }
          extensions.consider(key, known.expiresAtMs);
          return known.session;
        case "replaced":
          throw new DomainError(ErrorReason.SESSION_REPLACED, "the character was logged in again");
        case "ended":
        case undefined:
          throw tokenInvalid();
      }
    },
  };
}

function tokenInvalid(): DomainError {
  return new DomainError(ErrorReason.TOKEN_INVALID, "the token is unknown or no longer works");
}
