import type { FilterQuery, InferEntity } from "@mikro-orm/core";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, nameTaken } from "../errors.ts";
import { lockAccount } from "./account-lock.ts";
import { insertCharacter } from "./characters.ts";
import type { ComponentCodec } from "./component-codec.ts";
import type { Database } from "./database.ts";
import { AccountTable } from "./entities.ts";
import { endLiveSessions } from "./live-sessions.ts";
import { roleName, toAccount, toBanColumns, toDate } from "./records.ts";
import { storableText } from "./storable-text.ts";
import { type AccountPage, nameKey, type Store } from "./store.ts";
import { brokenConstraint } from "./unavailable.ts";

type Account = InferEntity<typeof AccountTable>;

/** The store's methods on accounts. */
export type AccountStore = Pick<
  Store,
  "createAccount" | "findAccount" | "findAccountById" | "listAccounts" | "updateAccount" | "setBan"
>;

/** Creates the methods on accounts. */
export function createAccountStore(options: {
  readonly database: Database;
  readonly codec: ComponentCodec;
}): AccountStore {
  const { database, codec } = options;
  return {
    async createAccount(account, character) {
      const accountRow = {
        name: account.name,
        nameKey: nameKey(account.name),
        role: roleName(account.role),
        email: storableText(account.email),
        passwordHash: account.passwordHash,
        createdAt: toDate(account.createdAt),
      };
      try {
        return await database.transaction(async (em) => {
          const id = await em.insert(AccountTable, { ...accountRow, lastCharacterId: null });
          const stored = await insertCharacter(em, codec, { ...character, accountId: id });
          await em.nativeUpdate(AccountTable, { id }, { lastCharacterId: stored.id });
          const row = { ...accountRow, id, lastCharacterId: stored.id };
          return { account: toAccount(row), character: stored };
        });
      } catch (error) {
        const constraint = brokenConstraint(error);
        if (constraint === undefined) throw error;
        throw nameTaken(constraint.startsWith("characters") ? character.name : account.name);
      }
    },

    async findAccount(name) {
      const key = storableText(nameKey(name));
      const row = await database.run((em) => em.findOne(AccountTable, { nameKey: key }));
      return row ? toAccount(row) : undefined;
    },

    async findAccountById(id) {
      const row = await database.run((em) => em.findOne(AccountTable, { id }));
      return row ? toAccount(row) : undefined;
    },

    async listAccounts(page) {
      const found = await database.run((em) =>
        em.find(
          AccountTable,
          { $and: conditionsOf(page) },
          { orderBy: { nameKey: "asc" }, limit: page.size },
        ),
      );
      return found.map(toAccount);
    },

    async setBan(id, ban) {
      return await database.transaction(async (em) => {
        if (!(await lockAccount(em, id))) throw accountUnknown(id);
        await em.nativeUpdate(AccountTable, { id }, toBanColumns(ban));
        return ban ? await endLiveSessions(em, { accountId: id, state: SessionState.ENDED }) : [];
      });
    },

    async updateAccount(id, change) {
      const columns = {
        ...(change.passwordHash === undefined ? {} : { passwordHash: change.passwordHash }),
        ...(change.role === undefined ? {} : { role: roleName(change.role) }),
      };
      const changed = await database.run((em) =>
        Object.keys(columns).length === 0
          ? em.count(AccountTable, { id })
          : em.nativeUpdate(AccountTable, { id }, columns),
      );
      if (changed === 0) throw accountUnknown(id);
    },
  };
}

/** What sorts behind every name that begins with the same letters. */
const LAST_LETTER = "\u{10FFFF}";

function conditionsOf({ after, prefix, role, bannedAtMs }: AccountPage): FilterQuery<Account>[] {
  const conditions: FilterQuery<Account>[] = [];
  if (after !== undefined) conditions.push({ nameKey: { $gt: storableText(nameKey(after)) } });
  if (prefix !== undefined) {
    const key = storableText(nameKey(prefix));
    conditions.push({ nameKey: { $gte: key, $lt: key + LAST_LETTER } });
  }
  if (role !== undefined) conditions.push({ role: roleName(role) });
  if (bannedAtMs !== undefined) {
    conditions.push({ banSince: { $ne: null } });
    conditions.push({ $or: [{ banUntil: null }, { banUntil: { $gt: new Date(bannedAtMs) } }] });
  }
  return conditions;
}

function accountUnknown(id: number): DomainError {
  return new DomainError(ErrorReason.NAME_UNKNOWN, `There is no account ${id}.`, {
    metadata: { name: String(id) },
  });
}
