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
 *
 * `onLogFailure` is called when the log cannot be written. PostgreSQL would end its process there; PGlite calls it again and again, without
 * end, so the thread has to be ended from outside.
 */
export async function openPglite(
  dataDir: string,
  onLogFailure: (error: unknown) => void,
): Promise<PGlite> {
  const folder = databaseFolder(dataDir);
  if (!existsSync(folder)) await createDatabaseFolder(folder);
  return PGlite.create({
    fs: createDurableFs(folder, onLogFailure),
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

/** What the hooks below need of an open file of the WebAssembly file system. */
interface OpenFile {
  /** The file descriptor in Node; folders have none. */
  readonly nfd?: number;
  readonly path?: string;
}

interface NodeFileSystem {
  readonly stream_ops: {
    fsync?: (file: OpenFile) => number;
    write: (file: OpenFile, ...what: unknown[]) => number;
  };
}

/** A folder of the real file system whose files can be synced to the disk, and that tells of a log that cannot be written. */
function createDurableFs(folder: string, onLogFailure: (error: unknown) => void): NodeFS {
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
      const { write } = stream_ops;
      stream_ops.write = (file, ...what) => {
        try {
          return write(file, ...what);
        } catch (error) {
          if (file.path?.startsWith(LOG_FOLDER)) {
            onLogFailure(new Error("The log of the database cannot be written.", { cause: error }));
          }
          throw error;
        }
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
const LOG_FOLDER = `${MOUNT_POINT}/pg_wal/`;

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
