import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AccountRecord,
  type CharacterRecord,
  SessionRecordSchema,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { Ban } from "../../gen/ts/realmwire/v1/user_pb.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import { createFailureLimit } from "../failures.ts";
import { createAuthenticator, createSessionFinder } from "./authenticator.ts";
import { createSessionCache } from "./session-cache.ts";
import { createSessionCleanup } from "./session-cleanup.ts";
import { createSessionExtensions } from "./session-extensions.ts";
import type { SessionEnd } from "./session-end.ts";
import type { SessionNews } from "./session-news.ts";
import { toKnownSession, toSession } from "./session-view.ts";
import { createSessionWatch } from "./session-watch.ts";
import type { Authenticator, Session } from "./session.ts";
import { createToken, hashToken, sessionKey, tokenHashOf } from "./tokens.ts";

/** Sessions that a node remembers, about 400 bytes each. */
const MAX_CACHED_SESSIONS = 20_000;
/** How long a node goes on with what it remembers, in milliseconds, should it miss the news of a session's end. */
const CACHE_TTL_MS = 60_000;
/** How much longer sessions go on while the store is away, in milliseconds: who walks and talks needs no store. */
const OUTAGE_GRACE_MS = 3_600_000;

/** Wrong tokens that one address may send a minute, and as many at once. */
export const WRONG_TOKENS_PER_MINUTE = 600;

/** The sessions of all accounts. */
export interface Sessions extends Authenticator {
  /** Deletes what ran out, now and every hour. */
  start(): Promise<void>;
  /** Waits for what is being written. */
  close(): Promise<void>;
  /** Begins a session; the one that plays the same character is replaced. */
  open(
    account: AccountRecord,
    character: CharacterRecord | undefined,
  ): Promise<{ token: string; session: Session; expiresAt: Timestamp }>;
  /** Makes a session play another character; the one that plays it is replaced. */
  select(session: Session, character: CharacterRecord): Promise<Session>;
  /** Ends a session everywhere. */
  end(session: Session): Promise<void>;
  /** Ends all other sessions of the account. */
  endOthers(session: Session): Promise<void>;
  /** Ends sessions of an account, all or the one that plays a character; how many comes back. */
  kick(accountId: number, kick: Parameters<Store["kickSessions"]>[1]): Promise<number>;
  /** Bans an account and ends its sessions, whose number comes back; without a ban, takes the one that it has away. */
  setBan(accountId: number, ban: Ban | undefined): Promise<number>;
  /** Forgets what this node remembers of an account's sessions. */
  refreshAccount(accountId: number): void;
}

/** What {@link createSessions} needs. */
export interface SessionsOptions {
  readonly store: Pick<
    Store,
    | "createSession"
    | "findSession"
    | "selectCharacter"
    | "endSession"
    | "endOtherSessions"
    | "kickSessions"
    | "setBan"
    | "extendSession"
    | "deleteExpiredSessions"
  >;
  readonly news: SessionNews;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  /** How long a session lives unless it is used, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Wrong tokens that one address may send a minute. Default: {@link WRONG_TOKENS_PER_MINUTE}. */
  readonly wrongTokensPerMinute?: number;
  readonly logger: Logger;
}

/** Creates the sessions. */
export function createSessions(options: SessionsOptions): Sessions {
  const { store, news, now, sessionTtlMs, logger } = options;
  const cache = createSessionCache({
    find: async (key) => toKnownSession(await store.findSession(tokenHashOf(key)), now()),
    ttlMs: CACHE_TTL_MS,
    staleMs: OUTAGE_GRACE_MS,
    maxSessions: MAX_CACHED_SESSIONS,
    now,
  });
  news.onSessionEnded(cache.set);
  news.onCharacterChanged(cache.forget);
  news.onAccountChanged(cache.forgetAccount);
  const extensions = createSessionExtensions({
    store,
    sessionTtlMs,
    now,
    logger,
    onExtended: cache.prolong,
  });
  const find = createSessionFinder({ cache, now });
  const { wrongTokensPerMinute = WRONG_TOKENS_PER_MINUTE } = options;
  const wrongTokens = createFailureLimit({ what: "tokens", perMinute: wrongTokensPerMinute });
  const watch = createSessionWatch({ find, news, now });
  const cleanup = createSessionCleanup({ store, now, logger });

  /** This node knows at once, the others when the news reach them. */
  function announceEnd(hashes: readonly Uint8Array[], end: SessionEnd): void {
    for (const hash of hashes) {
      cache.set(sessionKey(hash), end);
      news.sessionEnded(hash, end);
    }
  }

  return {
    ...createAuthenticator({ find, cache, extensions, wrongTokens }),
    watch: watch.watch,
    start() {
      watch.start();
      return cleanup.start();
    },
    async close() {
      watch.close();
      await cleanup.close();
      await extensions.close();
    },
    async open(account, character) {
      const token = createToken();
      const tokenHash = hashToken(token);
      const createdAtMs = now();
      const record = create(SessionRecordSchema, {
        tokenHash,
        accountId: account.id,
        characterId: character?.id ?? 0,
        state: SessionState.LIVE,
        createdAt: timestampFromMs(createdAtMs),
        expiresAt: timestampFromMs(createdAtMs + sessionTtlMs),
      });
      const { replaced } = await store.createSession(record);
      announceEnd(replaced, { kind: "replaced" });
      const session = toSession(tokenHash, account, character);
      return { token, session, expiresAt: timestampFromMs(createdAtMs + sessionTtlMs) };
    },
    async select(session, character) {
      const tokenHash = tokenHashOf(session.key);
      const { replaced } = await store.selectCharacter(tokenHash, character.id);
      cache.forget(session.key);
      news.characterChanged(tokenHash);
      announceEnd(replaced, { kind: "replaced" });
      return { ...session, character: { id: character.id, name: character.name } };
    },
    async end(session) {
      const tokenHash = tokenHashOf(session.key);
      await store.endSession(tokenHash, SessionState.ENDED);
      announceEnd([tokenHash], { kind: "ended" });
    },
    async endOthers(session) {
      const hashes = await store.endOtherSessions(session.accountId, tokenHashOf(session.key));
      announceEnd(hashes, { kind: "ended" });
    },
    async kick(accountId, kick) {
      const hashes = await store.kickSessions(accountId, kick);
      announceEnd(hashes, { kind: "kicked", reason: kick.reason });
      return hashes.length;
    },
    async setBan(accountId, ban) {
      const hashes = await store.setBan(accountId, ban);
      cache.forgetAccount(accountId);
      news.accountChanged(accountId);
      if (ban) announceEnd(hashes, { kind: "banned", accountId, ban });
      return hashes.length;
    },
    refreshAccount: cache.forgetAccount,
  };
}
