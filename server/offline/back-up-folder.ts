import { existsSync } from "node:fs";
import { join } from "node:path";
import { BackupError, writeBackup, type WrittenBackup } from "../backup/backup-file.ts";
import { streamBackup } from "../backup/backup-stream.ts";
import { lockFolder } from "../store/folder-lock.ts";
import { DATABASE_FOLDER } from "../store/pglite-folder.ts";
import { deleteOldSnapshots, takePgliteSnapshot } from "../store/pglite-snapshot.ts";
import { startPgliteThread } from "../store/pglite-thread.ts";
import { embeddedFolder } from "../world-parts.ts";

/** What takes longer has hung, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

/**
 * Backs the embedded database of a data folder up to a file while no server has it. Its tables stay as they are, also when they are
 * older than this server. Throws a `FolderInUseError`, and a {@link BackupError} where there is no database.
 */
export async function backUpFolder(options: {
  readonly data: string;
  readonly file: string;
  /** This release. */
  readonly server: string;
  readonly onBytes: (done: bigint, of: bigint) => void;
}): Promise<WrittenBackup> {
  const { data, file, server, onBytes } = options;
  const dataDir = embeddedFolder(data);
  if (!existsSync(join(dataDir, DATABASE_FOLDER, "PG_VERSION"))) {
    throw new BackupError(`there is no database in ${data}`);
  }
  const lock = lockFolder(dataDir);
  try {
    await deleteOldSnapshots(dataDir);
    const snapshot = await takeSnapshot(dataDir);
    try {
      const about = { server, game: "", takenAtMs: Date.now() };
      return await writeBackup(file, streamBackup(snapshot, about), onBytes);
    } finally {
      await snapshot.dispose();
    }
  } finally {
    lock.release();
  }
}

async function takeSnapshot(dataDir: string) {
  const thread = await startPgliteThread({ dataDir, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    const migrations = await readMigrations(thread);
    return { ...(await takePgliteSnapshot(dataDir, thread)), migrations };
  } finally {
    await thread.close();
  }
}

/** The changes that were made to the tables of an open database, in their order. */
export async function readMigrations({
  query,
}: Pick<Awaited<ReturnType<typeof startPgliteThread>>, "query">): Promise<string[]> {
  const { rows } = await query("select name from mikro_orm_migrations order by id", []);
  return rows.map(({ name }) => String(name));
}
