import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** The folder of the database, within the data folder. */
export const DATABASE_FOLDER = "database";

/** The folder of the database of a data folder. */
export function databaseFolder(dataDir: string): string {
  return join(dataDir, DATABASE_FOLDER);
}

/** Log that the database keeps for recovery after a checkpoint, at most. */
const MAX_LOG_SIZE = "64MB";

/** OIDs of date, timestamp, timestamptz and interval: MikroORM reads their text itself. */
const KEPT_AS_TEXT = [1082, 1114, 1184, 1186];

/**
 * Opens the embedded database of a data folder, creating it if need be. A folder whose creation was cut short is
 * created anew.
 *
 * PGlite by itself runs with `fsync=off`, and its file system does not know fsync: what it acknowledged survives the
 * end of the process, but not that of the machine. Here both are repaired: a commit returns when the log is on the disk.
 */
export async function openPglite(dataDir: string): Promise<PGlite> {
  const folder = databaseFolder(dataDir);
  if (!existsSync(folder)) await createDatabaseFolder(folder);
  return PGlite.create({
    fs: createDurableFs(folder),
    startParams: [
      ...PGlite.defaultStartParams.filter((param) => param !== "-F"),
      ...["-c", "fsync=on"],
      // The WebAssembly system calls make fdatasync, the default, do nothing.
      ...["-c", "wal_sync_method=fsync"],
      ...["-c", `max_wal_size=${MAX_LOG_SIZE}`, "-c", "min_wal_size=32MB"],
    ],
    parsers: Object.fromEntries(KEPT_AS_TEXT.map((oid) => [oid, (text: string) => text])),
  });
}

async function createDatabaseFolder(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const database = await PGlite.create({ fs: new NodeFS(unfinished) });
  await database.query("checkpoint");
  await database.close();
  for (const entry of readdirSync(unfinished, { recursive: true, encoding: "utf8" })) {
    syncToDisk(join(unfinished, entry));
  }
  renameSync(unfinished, folder);
  syncToDisk(dirname(folder));
}

/** What the hook below needs of an open file of the WebAssembly file system. */
interface OpenFile {
  /** The file descriptor in Node; folders have none. */
  readonly nfd?: number;
  readonly path?: string;
}

interface NodeFileSystem {
  readonly stream_ops: { fsync?: (file: OpenFile) => number };
}

/** A folder of the real file system whose files can be synced to the disk. */
function createDurableFs(folder: string): NodeFS {
  const fs = new NodeFS(folder);
  const init = fs.init.bind(fs);
  fs.init = async (database, options) => {
    const { emscriptenOpts } = await init(database, options);
    const addSync: NonNullable<typeof emscriptenOpts.preRun>[number] = (module) => {
      const { stream_ops } = module.FS.filesystems.NODEFS as unknown as NodeFileSystem;
      stream_ops.fsync = (file) => {
        if (file.nfd !== undefined) fsyncSync(file.nfd);
        else if (file.path) syncToDisk(file.path.replace(MOUNT_POINT, folder));
        return 0;
      };
    };
    return {
      emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addSync] },
    };
  };
  return fs;
}

/** Where PGlite puts the folder within its own file system. */
const MOUNT_POINT = "/pglite/data";

/** Syncs a file, or the names in a folder. */
function syncToDisk(path: string): void {
  // Windows syncs names by itself and does not open folders.
  const descriptor = process.platform === "win32" ? tryOpen(path) : openSync(path, "r");
  if (descriptor === undefined) return;
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, "r+");
  } catch {
    return undefined;
  }
}
