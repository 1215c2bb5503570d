import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { hasReason } from "../errors.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Session } from "./session.ts";

/** A session that goes on. */
export interface LiveSession {
  readonly kind: "live";
  readonly session: Session;
  readonly expiresAtMs: number;
}

/** What is known of a session. */
export type KnownSession = LiveSession | SessionEnd;

/** Remembers sessions, so that not every call asks the store. */
export interface SessionCache {
  /**
   * What is known of a session, looked up if need be; many who ask at once share one look-up. Undefined: there is
   * none. While the store is away, what was known of a live session is answered for `staleMs` longer.
   */
  get(key: string): Promise<KnownSession | undefined>;
  /** A session that need not be looked up: it is remembered as live, not from long ago, and has not run out. */
  fresh(key: string): LiveSession | undefined;
  /** Whether a session is remembered, be it from long ago, that was live and has not run out. */
  hasLive(key: string): boolean;
  /** A session that is remembered as live goes on until then, in milliseconds since 1970-01-01. */
  prolong(key: string, expiresAtMs: number): void;
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
  /** How much longer it is good enough while the store is away, in milliseconds. */
  readonly staleMs: number;
  /** How many sessions are remembered. The one not used for longest is forgotten first. */
  readonly maxSessions: number;
  readonly now: () => number;
}

/** Creates a cache of sessions. */
export function createSessionCache(options: SessionCacheOptions): SessionCache {
  const { find, ttlMs, staleMs, maxSessions, now } = options;
  const remembered = new Map<string, Entry>();
  const lookups = new Map<string, Promise<KnownSession | undefined>>();
  /** Whether the last look-up found the store away: then nobody with an old entry waits for another try. */
  let isStoreAway = false;

  function set(key: string, known: KnownSession): void {
    remembered.delete(key);
    remembered.set(key, { known, untilMs: now() + ttlMs });
    const [oldest] = remembered.keys();
    if (remembered.size > maxSessions && oldest !== undefined) {
      remembered.delete(oldest);
    }
  }

  /** To the end of the map's order: used last. As long as there is much room nobody is forgotten, and the order does not matter. */
  function noteUse(key: string, entry: Entry): void {
    if (remembered.size <= maxSessions / 2) return;
    remembered.delete(key);
    remembered.set(key, entry);
  }

  function lookUp(key: string): Promise<KnownSession | undefined> {
    const running = lookups.get(key);
    if (running !== undefined) {
      return running;
    }
    const lookup = ask(key).then(
      (known) => {
        // Forgotten meanwhile: what was found may be older than the reason to forget it. Unknown sessions
        // are not remembered, since anybody can make up any number of them.
        if (lookups.get(key) === lookup) {
          lookups.delete(key);
          if (known === undefined) remembered.delete(key);
          else set(key, known);
        }
        return known;
      },
      (error: unknown) => {
        if (lookups.get(key) === lookup) {
          lookups.delete(key);
        }
        throw error;
      },
    );
    lookups.set(key, lookup);
    return lookup;
  }

  async function ask(key: string): Promise<KnownSession | undefined> {
    try {
      const known = await find(key);
      isStoreAway = false;
      return known;
    } catch (error) {
      isStoreAway = hasReason(error, ErrorReason.STORE_UNAVAILABLE);
      throw error;
    }
  }

  function isGoodEnough(entry: Entry | undefined): entry is Entry {
    return entry?.known.kind === "live" && now() < entry.untilMs + staleMs;
  }

  async function getAgain(key: string, entry: Entry | undefined) {
    const lookup = lookUp(key);
    if (isStoreAway && isGoodEnough(entry)) {
      // It goes on in the background, and says when the store is back.
      lookup.catch(() => undefined);
      return entry.known;
    }
    try {
      return await lookup;
    } catch (error) {
      // Unless it was forgotten meanwhile.
      if (isStoreAway && isGoodEnough(entry) && remembered.get(key) === entry) {
        return entry.known;
      }
      throw error;
    }
  }

  return {
    async get(key) {
      const entry = remembered.get(key);
      if (entry === undefined || now() >= entry.untilMs) {
        return getAgain(key, entry);
      }
      noteUse(key, entry);
      return entry.known;
    },
    fresh(key) {
      const entry = remembered.get(key);
      if (entry?.known.kind !== "live") return undefined;
      const nowMs = now();
      if (nowMs >= entry.untilMs || nowMs >= entry.known.expiresAtMs) return undefined;
      noteUse(key, entry);
      return entry.known;
    },
    hasLive(key) {
      const known = remembered.get(key)?.known;
      return known?.kind === "live" && known.expiresAtMs > now();
    },
    prolong(key, expiresAtMs) {
      const entry = remembered.get(key);
      if (entry?.known.kind !== "live") return;
      remembered.set(key, { ...entry, known: { ...entry.known, expiresAtMs } });
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
        if (accountOf(known) === accountId) {
          remembered.delete(key);
        }
      }
    },
  };
}

/** Whose it is; undefined: it does not matter any more. */
function accountOf(known: KnownSession): number | undefined {
  if (known.kind === "live") return known.session.accountId;
  return known.kind === "banned" ? known.accountId : undefined;
}

interface Entry {
  readonly known: KnownSession;
  readonly untilMs: number;
}
