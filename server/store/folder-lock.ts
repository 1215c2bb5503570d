import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

const LOCK_FILE = "lock";
const OWNER_FILE = "lock-owner.json";

/** SQLite's code for a file that somebody else has locked. */
const SQLITE_BUSY = 5;

/** A data folder that belongs to this process. */
export interface FolderLock {
  /** Gives the folder back. Calling it twice does no harm. */
  release(): void;
}

/** The data folder is in use by another server. */
export class FolderInUseError extends Error {
  readonly folder: string;
  /** The other process, as far as it is known. */
  readonly pid: number | undefined;

  constructor(folder: string, owner: Owner | undefined) {
    const who = owner ? ` (process ${owner.pid} on ${owner.host})` : "";
    super(
      `The data folder ${folder} is in use by another server${who}. ` +
        "Stop that one first, or choose another folder with --data or REALMWIRE_DATA.",
    );
    this.name = "FolderInUseError";
    this.folder = folder;
    this.pid = owner?.pid;
  }
}

/** One folder after the other: Node's own recursion never returns where the system takes no folders, such as below `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another server may have made it at the same moment.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * Takes a folder for this process, creating it if need be; throws a {@link FolderInUseError} when another server has it.
 *
 * The lock is that of an SQLite file, which Node has built in: the operating system's own file lock, on Linux, macOS and
 * Windows. It ends with the process however the process ends, holds between containers that share the folder, and knows
 * no stale state.
 */
export function lockFolder(folder: string): FolderLock {
  makeFolder(resolve(folder));
  const ownerPath = join(folder, OWNER_FILE);
  const file = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
  try {
    file.exec("pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new FolderInUseError(folder, readOwner(ownerPath));
  }
  const owner: Owner = { pid: process.pid, host: hostname() };
  try {
    writeFileSync(ownerPath, JSON.stringify(owner));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    release() {
      if (file.isOpen) file.close();
    },
  };
}

/** Who has the folder: written for people, the lock does not depend on it. */
interface Owner {
  readonly pid: number;
  readonly host: string;
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}
