import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, nameTaken } from "../errors.ts";
import { insertCharacter } from "./characters.ts";
import type { ComponentCodec } from "./component-codec.ts";
import type { Database } from "./database.ts";
import { AccountTable } from "./entities.ts";
import { roleName, toAccount, toDate } from "./records.ts";
import { storableText } from "./storable-text.ts";
import { nameKey, type Store } from "./store.ts";
import { brokenConstraint } from "./unavailable.ts";

/** The store's methods on accounts. */
export type AccountStore = Pick<Store, "createAccount" | "findAccount" | "updateAccount">;

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
      if (changed === 0) {
        throw new DomainError(ErrorReason.NAME_UNKNOWN, `There is no account ${id}.`, {
          metadata: { name: String(id) },
        });
      }
    },
  };
}
