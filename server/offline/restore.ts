import { existsSync } from "node:fs";
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import type { BackupEntry, BackupHeader } from "../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { readBackup } from "../backup/backup-file.ts";
import { BACKUP_FORMAT, PIECE_BYTES } from "../backup/backup-stream.ts";
import { lockFolder } from "../store/folder-lock.ts";
import { migrations } from "../store/migrations/index.ts";
import { DATABASE_FOLDER } from "../store/pglite-folder.ts";
import { asideName } from "../store/set-aside.ts";
import { startPgliteThread } from "../store/pglite-thread.ts";
import { embeddedFolder } from "../world-parts.ts";
import { readMigrations } from "./back-up-folder.ts";

/** Beside the database, on the same file system. */
const DRAFT_PREFIX = "restore-";
/** A statement that takes longer has hung, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

const inflate = promisify(inflateRaw);

/** A backup that was not restored; the message says why. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

/** A backup that was restored. */
export interface RestoredBackup {
  readonly header: BackupHeader;
  /** Where the database is that was there before. Undefined: there was none. */
  readonly previous: string | undefined;
}

/**
 * Restores a backup into a data folder that no server has. It is written and opened beside what is there, and takes its place at the end by
 * a rename. Throws a {@link RestoreError}, a `BackupError` or a `FolderInUseError`, and then nothing has changed.
 */
export async function restoreBackup(options: {
  readonly data: string;
  readonly file: string;
  /** Whether a database that is there may be replaced; it is kept under another name. */
  readonly force: boolean;
  readonly onBytes: (done: bigint, of: bigint) => void;
}): Promise<RestoredBackup> {
  const { data, file, force, onBytes } = options;
  const dataDir = embeddedFolder(data);
  const target = join(dataDir, DATABASE_FOLDER);
  const lock = lockFolder(dataDir);
  try {
    const isThere = existsSync(target);
    if (isThere && !force) {
      throw new RestoreError(
        `there is a database in ${data}: --force replaces it, and keeps it beside`,
      );
    }
    await deleteOldDrafts(dataDir);
    const draft = await mkdtemp(join(dataDir, DRAFT_PREFIX));
    try {
      const header = await unpack(file, join(draft, DATABASE_FOLDER), onBytes);
      await tryOut(draft, header);
      const restored = join(draft, DATABASE_FOLDER);
      let previous: string | undefined;
      if (isThere) previous = await replace(target, restored);
      else await rename(restored, target);
      await syncFolder(dataDir);
      return { header, previous };
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  } finally {
    lock.release();
  }
}

/** Writes what a backup holds to a folder, all of it to the disk. */
async function unpack(
  file: string,
  folder: string,
  onBytes: (done: bigint, of: bigint) => void,
): Promise<BackupHeader> {
  let header: BackupHeader | undefined;
  let entry: BackupEntry | undefined;
  let output: FileHandle | undefined;
  let left = 0n;
  let total = 0n;
  const finishEntry = async () => {
    if (left > 0n) throw broken(`${entry?.path} ends too early`);
    await output?.sync();
    await output?.close();
    output = undefined;
  };
  await mkdir(folder, { mode: 0o700 });
  try {
    for await (const part of readBackup(file)) {
      if (!header) {
        if (part.case !== "header") throw broken("it does not begin with its header");
        header = checkHeader(part.value);
      } else if (part.case === "entry") {
        await finishEntry();
        entry = part.value;
        left = entry.size;
        total += left;
        onBytes(total, header.bytes);
        if (total > header.bytes) throw broken("it holds more than it says");
        output = await begin(folder, entry);
      } else if (part.case === "piece" && output) {
        const bytes = await inflatePiece(part.value.deflated);
        left -= BigInt(bytes.length);
        if (left < 0n) throw broken(`${entry?.path} is longer than it says`);
        await output.write(bytes);
      } else {
        throw broken("its parts are in no order");
      }
    }
    await finishEntry();
  } finally {
    await output?.close();
  }
  if (!header || total !== header.bytes) throw broken("it holds less than it says");
  return header;
}

function checkHeader(header: BackupHeader): BackupHeader {
  if (header.format !== BACKUP_FORMAT) {
    throw new RestoreError(
      `the backup has format ${header.format}, and this server knows only ${BACKUP_FORMAT}: use one of release ${header.server}`,
    );
  }
  const known = new Set(migrations.map(({ name }) => name));
  const newer = header.migrations.find((name) => !known.has(name));
  if (newer !== undefined) {
    throw new RestoreError(
      `the backup is of a newer server, ${header.server}: this one does not know the migration "${newer}"`,
    );
  }
  return header;
}

/** Makes a folder, or a file to be written. Paths never lead out of the folder. */
async function begin(folder: string, entry: BackupEntry): Promise<FileHandle | undefined> {
  const parts = entry.path.split("/");
  if (parts.some((part) => !/^[\w.-]+$/.test(part) || part === "." || part === "..")) {
    throw broken(`"${entry.path}" is no path of a database`);
  }
  const path = join(folder, ...parts);
  if (!entry.folder) return await open(path, "wx", 0o600);
  await mkdir(path, { mode: 0o700 });
  return undefined;
}

async function inflatePiece(deflated: Uint8Array): Promise<Uint8Array> {
  try {
    return await inflate(deflated, { maxOutputLength: PIECE_BYTES });
  } catch (error) {
    throw broken((error as Error).message);
  }
}

/** Opens what was written, which recovers it as a server would. */
async function tryOut(dataDir: string, header: BackupHeader): Promise<void> {
  const thread = await startPgliteThread({
    dataDir,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  }).catch((error: Error) => {
    throw new RestoreError(
      `the database of the backup, PostgreSQL ${header.database}, cannot be opened: ${error.message}`,
    );
  });
  try {
    const found = await readMigrations(thread);
    if (found.join() !== header.migrations.join())
      throw broken("its tables are not those that it names");
  } finally {
    await thread.close();
  }
}

/** Puts a draft in a database's place; where the one before is kept comes back. */
async function replace(target: string, draft: string): Promise<string> {
  const aside = join(dirname(target), asideName(new Date()));
  await rename(target, aside);
  try {
    await rename(draft, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  return aside;
}

async function deleteOldDrafts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(DRAFT_PREFIX)) await rm(join(dataDir, name), { recursive: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows syncs names by itself and does not open folders.
  if (process.platform === "win32") return;
  await using handle = await open(folder);
  await handle.sync();
}

function broken(why: string): RestoreError {
  return new RestoreError(`the backup cannot be restored: ${why}`);
}
