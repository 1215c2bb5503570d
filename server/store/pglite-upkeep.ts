import { type Database, rows } from "./database.ts";
import { entities } from "./entities.ts";

/** The store's tables, and the one in which `analyze` itself writes. The other tables of the system hardly change. */
const TABLES = [...entities.map((entity) => entity.meta.tableName), "pg_statistic"].join(", ");

/**
 * Creates a function that clears away old row versions and cuts the log, if anything was written since the last time.
 * In PostgreSQL processes of its own do that; PGlite has none, and without it a folder that is saved to grows by gigabytes a day.
 */
export function createUpkeep(database: Database): () => Promise<void> {
  let lastPosition = "";
  const position = () =>
    database.run(async (em) => {
      const [row] = await rows<{ at: string }>(
        em,
        "select pg_current_wal_insert_lsn()::text as at",
      );
      return row?.at ?? "";
    });
  return async () => {
    if ((await position()) === lastPosition) return;
    await database.run((em) => rows(em, `vacuum (analyze) ${TABLES}`));
    await database.run((em) => rows(em, "checkpoint"));
    lastPosition = await position();
  };
}
