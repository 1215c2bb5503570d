import type { Session } from "./session.ts";

/** What is known of a session. */
export type KnownSession =
  | { readonly kind: "live"; readonly session: Session; readonly expiresAtMs: number }
  | { readonly kind: "replaced" }
  | { readonly kind: "ended" };

/** Remembers sessions, so that not every call asks the store. */
export interface SessionCache {
  /** What is known of a session, looked up if need be; many who ask at once share one look-up. Undefined: there is none. */
  get(key: string): Promise<KnownSession | undefined>;
  /** Replaces what is remembered. */
  set(key: string, known: KnownSession): void;
  /** Forgets a session; what is being looked up now will not be remembered. */
  forget(key: string): void;
  /** Forgets all sessions of an account, as `forget` does. */
  forgetAccount(accountId: number): void;
}

/** What {@link createSessionCache} needs. */
export interface SessionCacheOptions {
  readonly find: (key: string) => Promise<KnownSession | undefined>;
  /** How long something is remembered, in milliseconds. */
  readonly ttlMs: number;
  /** How many sessions are remembered. The one not used for longest is forgotten first. */
  readonly maxSessions: number;
  readonly now: () => number;
}

/** Creates a cache of sessions. */
export function createSessionCache(options: SessionCacheOptions): SessionCache {
  const { find, ttlMs, maxSessions, now } = options;
  const remembered = new Map<string, { known: KnownSession; untilMs: number }>();
  const lookups = new Map<string, Promise<KnownSession | undefined>>();

  function set(key: string, known: KnownSession): void {
    remembered.delete(key);
    remembered.set(key, { known, untilMs: now() + ttlMs });
    const [oldest] = remembered.keys();
    if (remembered.size > maxSessions && oldest !== undefined) {
      remembered.delete(oldest);
    }
  }

  function lookUp(key: string): Promise<KnownSession | undefined> {
    const lookup = find(key)
      .then((known) => {
        // Forgotten meanwhile: what was found may be older than the reason to forget it. Unknown sessions
        // are not remembered, since anybody can make up any number of them.
        if (known !== undefined && lookups.get(key) === lookup) {
          set(key, known);
        }
        return known;
      })
      .finally(() => {
        if (lookups.get(key) === lookup) {
          lookups.delete(key);
        }
      });
    lookups.set(key, lookup);
    return lookup;
  }

  return {
    async get(key) {
      const entry = remembered.get(key);
      if (entry !== undefined && now() < entry.untilMs) {
        // To the end of the map's order: used last.
        remembered.delete(key);
        remembered.set(key, entry);
        return entry.known;
      }
      return lookups.get(key) ?? lookUp(key);
    },
    set(key, known) {
      lookups.delete(key);
      set(key, known);
    },
    forget(key) {
      lookups.delete(key);
      remembered.delete(key);
    },
    forgetAccount(accountId) {
      // Whose session is being looked up is not known yet.
      lookups.clear();
      for (const [key, { known }] of remembered) {
        if (known.kind === "live" && known.session.accountId === accountId) {
          remembered.delete(key);
        }
      }
    },
  };
}
