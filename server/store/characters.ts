import { clone, type JsonObject } from "@bufbuild/protobuf";
import type { SqlEntityManager } from "@mikro-orm/sql";
import {
  type CharacterRecord,
  CharacterRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, nameTaken } from "../errors.ts";
import { lockAccount } from "./account-lock.ts";
import { forgetAllHeard } from "./chat.ts";
import type { ComponentCodec } from "./component-codec.ts";
import type { Database } from "./database.ts";
import { AccountTable, CharacterTable } from "./entities.ts";
import { createLoader } from "./loader.ts";
import { toCharacter, toColumns, toDate } from "./records.ts";
import { storableText } from "./storable-text.ts";
import { nameKey, type Store } from "./store.ts";
import { brokenConstraint } from "./unavailable.ts";

/** The store's methods on characters. */
export type CharacterStore = Pick<
  Store,
  "createCharacter" | "findCharacter" | "listCharacters" | "deleteCharacter"
>;

/** Creates the methods on characters. */
export function createCharacterStore(options: {
  readonly database: Database;
  readonly codec: ComponentCodec;
}): CharacterStore {
  const { database, codec } = options;
  const loadRow = createLoader(findRows);
  return {
    async createCharacter(character, limit) {
      try {
        return await database.transaction(async (em) => {
          if (!(await lockAccount(em, character.accountId))) {
            throw new Error(`There is no account ${character.accountId}.`);
          }
          const count = await em.count(CharacterTable, { accountId: character.accountId });
          if (count >= limit) {
            throw new DomainError(
              ErrorReason.TOO_MANY_CHARACTERS,
              `An account may have ${limit} characters.`,
              { metadata: { limit: String(limit) } },
            );
          }
          return insertCharacter(em, codec, character);
        });
      } catch (error) {
        if (brokenConstraint(error) === undefined) throw error;
        throw nameTaken(character.name);
      }
    },

    async findCharacter(name) {
      const key = storableText(nameKey(name));
      const row = await database.run((em) => loadRow(em, key));
      return row ? toCharacter(row, codec) : undefined;
    },

    async listCharacters(accountId, page) {
      const behind =
        page.after === undefined ? {} : { nameKey: { $gt: storableText(nameKey(page.after)) } };
      const found = await database.run((em) =>
        em.find(
          CharacterTable,
          { accountId, ...behind },
          { orderBy: { nameKey: "asc" }, limit: page.size },
        ),
      );
      return found.map((row) => toCharacter(row, codec));
    },

    deleteCharacter(id) {
      return database.transaction(async (em) => {
        const row = await em.findOne(CharacterTable, { id });
        if (!row) return false;
        // Sessions choose characters under the same lock, so none can be left with one that is gone.
        await lockAccount(em, row.accountId);
        await em.nativeUpdate(AccountTable, { lastCharacterId: id }, { lastCharacterId: null });
        await forgetAllHeard(em, id);
        return (await em.nativeDelete(CharacterTable, { id })) === 1;
      });
    },
  };
}

/** Rows of characters by the keys of their names. */
async function findRows(em: SqlEntityManager, keys: readonly string[]) {
  const found = await em.find(CharacterTable, { nameKey: { $in: keys } });
  return new Map(found.map((row) => [row.nameKey, row]));
}

/** Inserts a character within a transaction and gives it back with its id. */
export async function insertCharacter(
  em: SqlEntityManager,
  codec: ComponentCodec,
  character: CharacterRecord,
): Promise<CharacterRecord> {
  const id = await em.insert(CharacterTable, {
    accountId: character.accountId,
    name: character.name,
    nameKey: nameKey(character.name),
    zone: character.zone,
    ...toColumns(character.position),
    components: JSON.parse(codec.encode(character.components)) as JsonObject,
    createdAt: toDate(character.createdAt),
  });
  const stored = clone(CharacterRecordSchema, character);
  stored.id = id;
  return stored;
}
