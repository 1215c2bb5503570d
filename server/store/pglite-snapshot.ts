import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { copyWhileWritten } from "./folder-copy.ts";
import { DATABASE_FOLDER, databaseFolder } from "./pglite-folder.ts";
import type { PgliteThread } from "./pglite-thread.ts";
import type { Snapshot } from "./store.ts";
import { ConnectionLostError } from "./unavailable.ts";

/** Beside the database, so that both are on one file system, which may share their bytes. */
const PREFIX = "snapshot-";

/** Copies the database of a data folder as it is at one moment. Rejects with `BACKUP_UNAVAILABLE` when there is no room for it. */
export async function takePgliteSnapshot(
  dataDir: string,
  thread: Pick<PgliteThread, "completeCopy">,
): Promise<Omit<Snapshot, "migrations">> {
  const parent = await mkdtemp(join(dataDir, PREFIX));
  const folder = join(parent, DATABASE_FOLDER);
  const dispose = () => rm(parent, { recursive: true, force: true });
  try {
    // Most files are as they were before: they need not be copied while the database stands still.
    const copied = await copyWhileWritten(databaseFolder(dataDir), folder);
    const pausedMs = await thread.completeCopy(folder, copied);
    const database = (await readFile(join(folder, "PG_VERSION"), "utf8")).trim();
    return { folder, database, pausedMs, dispose };
  } catch (error) {
    await dispose();
    if (error instanceof ConnectionLostError) throw error;
    const cause = `the database could not be copied: ${(error as Error).message}`;
    throw new DomainError(ErrorReason.BACKUP_UNAVAILABLE, cause, {
      metadata: { cause },
      cause: error,
    });
  }
}

/** Deletes what servers left behind that ended in the middle of a backup. The folder must be this process's. */
export async function deleteOldSnapshots(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(PREFIX)) await rm(join(dataDir, name), { recursive: true, force: true });
  }
}
