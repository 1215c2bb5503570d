import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ReleaseRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { Database } from "./database.ts";
import { FactTable, ReleaseTable } from "./entities.ts";
import { toDate } from "./records.ts";
import { storableText } from "./storable-text.ts";
import type { Store } from "./store.ts";

/** The store's methods on client releases and on facts about the world. */
export type ReleaseStore = Pick<Store, "publishRelease" | "listReleases" | "getFact" | "setFact">;

/** Creates the methods on releases and facts. */
export function createReleaseStore(options: { readonly database: Database }): ReleaseStore {
  const { database } = options;
  return {
    async publishRelease(release) {
      const row = {
        platform: release.platform,
        version: release.version,
        oldestWorking: release.oldestWorking,
        publishedAt: toDate(release.publishedAt),
      };
      await database.run((em) => em.upsert(ReleaseTable, row));
    },

    async listReleases() {
      const found = await database.run((em) =>
        em.find(ReleaseTable, {}, { orderBy: { platform: "asc" } }),
      );
      return found.map((row) =>
        create(ReleaseRecordSchema, { ...row, publishedAt: timestampFromDate(row.publishedAt) }),
      );
    },

    async getFact(key) {
      const row = await database.run((em) => em.findOne(FactTable, { key: storableText(key) }));
      return row?.value;
    },

    async setFact(key, value) {
      const row = { key: storableText(key), value: storableText(value) };
      await database.run((em) => em.upsert(FactTable, row));
    },
  };
}
