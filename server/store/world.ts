import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { SqlEntityManager } from "@mikro-orm/sql";
import {
  type EditRecord,
  EditRecordSchema,
  ObjectRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import type { ComponentCodec } from "./component-codec.ts";
import { type Database, rows } from "./database.ts";
import { EditTable, ObjectTable } from "./entities.ts";
import { fromColumns, toDate } from "./records.ts";
import {
  encodeCharacters,
  encodeObjects,
  placesParameters,
  SAVE_CHARACTERS,
  SAVE_OBJECTS,
  SAVE_PLACES,
  SETTLE_PLACES,
} from "./save-batch.ts";
import { storableText } from "./storable-text.ts";
import type { Store } from "./store.ts";
import { brokenConstraint } from "./unavailable.ts";

/** The store's methods on zones: what stands in them and how their maps were changed. */
export type WorldStore = Pick<
  Store,
  "save" | "settlePlaces" | "listObjects" | "deleteObject" | "appendEdit" | "listEdits"
>;

/** Creates the methods on zones. */
export function createWorldStore(options: {
  readonly database: Database;
  readonly codec: ComponentCodec;
}): WorldStore {
  const { database, codec } = options;

  /** A statement by itself is a transaction: two round trips less for those who wait for it. */
  function atOnce(statements: number, operation: (em: SqlEntityManager) => Promise<void>) {
    return statements === 1 ? database.run(operation) : database.transaction(operation);
  }

  return {
    async save(batch) {
      const characters = await encodeCharacters(batch.characters, codec);
      const objects = await encodeObjects(batch.objects, codec);
      const { places = [] } = batch;
      const statements = places.length + characters.length + objects.length;
      if (statements === 0) return;
      const knownTypes = JSON.stringify(codec.knownTypes);
      await atOnce(statements, async (em) => {
        // Before the characters, whose own rows are to count as the newer ones.
        for (const record of places) await rows(em, SAVE_PLACES, placesParameters(record));
        for (const json of characters) await rows(em, SAVE_CHARACTERS, [json, knownTypes]);
        for (const json of objects) await rows(em, SAVE_OBJECTS, [json, knownTypes]);
      });
    },

    async settlePlaces(zone) {
      await database.run((em) => rows(em, SETTLE_PLACES, [storableText(zone)]));
    },

    async listObjects(zone) {
      const key = { zone: storableText(zone) };
      const found = await database.run((em) =>
        em.find(ObjectTable, key, { orderBy: { name: "asc" } }),
      );
      return found.map((row) =>
        create(ObjectRecordSchema, {
          zone: row.zone,
          name: row.name,
          position: fromColumns(row),
          components: codec.decode(row.components),
        }),
      );
    },

    async deleteObject(zone, name) {
      const key = { zone: storableText(zone), name: storableText(name) };
      await database.run((em) => em.nativeDelete(ObjectTable, key));
    },

    async appendEdit(edit) {
      const { zone } = edit;
      const replaced = objectsOf(edit);
      try {
        await atOnce(replaced.length > 0 ? 2 : 1, async (em) => {
          await em.insert(EditTable, {
            zone,
            revision: edit.revision,
            author: edit.author,
            editedAt: toDate(edit.time),
            record: Buffer.from(toBinary(EditRecordSchema, edit)),
          });
          if (replaced.length > 0) {
            await em.nativeDelete(ObjectTable, { zone, name: { $in: replaced } });
          }
        });
      } catch (error) {
        if (brokenConstraint(error) === undefined) throw error;
        const present = await database.run((em) => presentRevision(em, edit.zone));
        throw new DomainError(
          ErrorReason.REVISION_CONFLICT,
          `The map of ${edit.zone} is at revision ${present}.`,
          { metadata: { revision: String(present) }, cause: error },
        );
      }
    },

    async listEdits(zone) {
      const key = { zone: storableText(zone) };
      const found = await database.run((em) =>
        em.find(EditTable, key, { orderBy: { revision: "asc" } }),
      );
      return found.map((row) => fromBinary(EditRecordSchema, row.record));
    },
  };
}

/** The objects that an edit puts or takes away: what is stored of an earlier one of that name is not theirs. */
function objectsOf({ commands }: EditRecord): string[] {
  const names = commands.flatMap(({ kind }) => {
    if (kind.case === "putObject") return [kind.value.name];
    return kind.case === "removeObject" ? [kind.value] : [];
  });
  return [...new Set(names.map(storableText))];
}

async function presentRevision(em: SqlEntityManager, zone: string): Promise<number> {
  const [last] = await em.find(EditTable, { zone }, { orderBy: { revision: "desc" }, limit: 1 });
  return last?.revision ?? 0;
}
