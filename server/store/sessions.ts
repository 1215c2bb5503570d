import type { SqlEntityManager } from "@mikro-orm/sql";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { lockAccount } from "./account-lock.ts";
import type { ComponentCodec } from "./component-codec.ts";
import type { Database } from "./database.ts";
import { AccountTable, CharacterTable, SessionTable } from "./entities.ts";
import { endLiveSessions } from "./live-sessions.ts";
import { createLoader } from "./loader.ts";
import { LIVE, stateName, toAccount, toCharacter, toDate, toSession } from "./records.ts";
import { storableText } from "./storable-text.ts";
import type { Store } from "./store.ts";

/** The store's methods on sessions. */
export type SessionStore = Pick<
  Store,
  | "createSession"
  | "findSession"
  | "selectCharacter"
  | "endSession"
  | "endOtherSessions"
  | "kickSessions"
  | "countSessions"
  | "extendSession"
  | "deleteExpiredSessions"
>;

/** Creates the methods on sessions. */
export function createSessionStore(options: {
  readonly database: Database;
  readonly codec: ComponentCodec;
}): SessionStore {
  const { database, codec } = options;
  const loadView = createLoader(findViews);
  return {
    createSession(session) {
      return database.transaction(async (em) => {
        const { accountId, characterId } = session;
        if (!(await lockAccount(em, accountId)))
          throw new Error(`There is no account ${accountId}.`);
        const replaced = await takeCharacter(em, accountId, characterId);
        await em.insert(SessionTable, {
          tokenHash: Buffer.from(session.tokenHash),
          accountId,
          characterId: characterId || null,
          state: stateName(session.state || SessionState.LIVE),
          createdAt: toDate(session.createdAt),
          expiresAt: toDate(session.expiresAt),
        });
        return { replaced };
      });
    },

    async findSession(tokenHash) {
      const key = Buffer.from(tokenHash).toString("hex");
      const found = await database.run((em) => loadView(em, key));
      if (!found) return undefined;
      const { session, account, character } = found;
      return {
        session: toSession(session),
        account: toAccount(account),
        character: character ? toCharacter(character, codec) : undefined,
      };
    },

    selectCharacter(tokenHash, characterId) {
      return database.transaction(async (em) => {
        const key = { tokenHash: Buffer.from(tokenHash), state: LIVE };
        const found = await em.findOne(SessionTable, key);
        if (!found) throw notLive();
        await lockAccount(em, found.accountId);
        const replaced = await takeCharacter(em, found.accountId, characterId, tokenHash);
        const changed = await em.nativeUpdate(SessionTable, key, {
          characterId: characterId || null,
        });
        // It may have ended while this waited for the lock.
        if (changed === 0) throw notLive();
        return { replaced };
      });
    },

    async endSession(tokenHash, state) {
      const key = { tokenHash: Buffer.from(tokenHash), state: LIVE };
      await database.run((em) => em.nativeUpdate(SessionTable, key, { state: stateName(state) }));
    },

    endOtherSessions(accountId, keep) {
      return database.transaction(async (em) => {
        await lockAccount(em, accountId);
        return await endLiveSessions(em, { accountId, state: SessionState.ENDED, except: keep });
      });
    },

    kickSessions(accountId, { reason, characterId }) {
      return database.transaction(async (em) => {
        await lockAccount(em, accountId);
        return await endLiveSessions(em, {
          accountId,
          state: SessionState.KICKED,
          reason: storableText(reason),
          ...(characterId !== undefined && { characterId }),
        });
      });
    },

    countSessions(accountId, nowMs) {
      const live = { accountId, state: LIVE, expiresAt: { $gt: new Date(nowMs) } };
      return database.run((em) => em.count(SessionTable, live));
    },

    async extendSession(tokenHash, expiresAtMs) {
      const key = { tokenHash: Buffer.from(tokenHash) };
      const change = { expiresAt: new Date(expiresAtMs) };
      await database.run((em) => em.nativeUpdate(SessionTable, key, change));
    },

    deleteExpiredSessions(beforeMs) {
      const expired = { expiresAt: { $lt: new Date(beforeMs) } };
      return database.run((em) => em.nativeDelete(SessionTable, expired));
    },
  };
}

/** Ends the live sessions that play a character of the account, and remembers it as the one played last. */
async function takeCharacter(
  em: SqlEntityManager,
  accountId: number,
  characterId: number,
  except: Uint8Array = new Uint8Array(),
): Promise<Uint8Array[]> {
  if (characterId === 0) return [];
  if ((await em.count(CharacterTable, { id: characterId, accountId })) === 0) {
    throw new DomainError(ErrorReason.CHARACTER_UNKNOWN, "The account has no such character.", {
      metadata: { name: String(characterId) },
    });
  }
  const replaced = await endLiveSessions(em, {
    ...{ accountId, characterId, except, state: SessionState.REPLACED },
  });
  await em.nativeUpdate(AccountTable, { id: accountId }, { lastCharacterId: characterId });
  return replaced;
}

/** Sessions by their token hashes in hexadecimal digits, with their accounts and characters. */
async function findViews(em: SqlEntityManager, hashes: readonly string[]) {
  const tokenHash = { $in: hashes.map((hash) => Buffer.from(hash, "hex")) };
  const sessions = await em.find(SessionTable, { tokenHash });
  if (sessions.length === 0) return new Map<string, never>();
  const accountIds = new Set(sessions.map((session) => session.accountId));
  const characterIds = new Set(sessions.flatMap((session) => session.characterId ?? []));
  const accounts = await em.find(AccountTable, { id: { $in: [...accountIds] } });
  const characters =
    characterIds.size > 0 ? await em.find(CharacterTable, { id: { $in: [...characterIds] } }) : [];
  const accountOf = new Map(accounts.map((account) => [account.id, account]));
  const characterOf = new Map(characters.map((character) => [character.id, character]));
  return new Map(
    sessions.flatMap((session) => {
      const account = accountOf.get(session.accountId);
      const character = characterOf.get(session.characterId ?? 0);
      if (!account) return [];
      return [[Buffer.from(session.tokenHash).toString("hex"), { session, account, character }]];
    }),
  );
}

function notLive(): DomainError {
  return new DomainError(ErrorReason.TOKEN_INVALID, "The session does not live.");
}
