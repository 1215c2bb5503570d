import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { UpdateError } from "./errors.ts";

/** SQLite's code for a file that somebody else has locked. */
const SQLITE_BUSY = 5;

/** A lock that this process holds. */
export interface Lock {
  /** Gives it back and deletes its file. Calling it twice does no harm. */
  release(): void;
}

/**
 * Takes a lock by a file. It is the lock of an SQLite file, which Node has built in: the system's own, so that it ends with the
 * process however that ends. Throws an {@link UpdateError} when another process has it.
 */
export function takeLock(path: string): Lock {
  let file: DatabaseSync | undefined;
  const give = () => {
    if (file?.isOpen) file.close();
  };
  try {
    closeSync(openSync(path, "a"));
    const { ino } = statSync(path, { bigint: true });
    file = new DatabaseSync(path, { timeout: 0 });
    file.exec("pragma journal_mode = memory; begin exclusive");
    // Who held it before may have deleted the file in between; then this is the lock of no file.
    if (statSync(path, { bigint: true }).ino !== ino) throw inUse(path);
  } catch (error) {
    give();
    const { errcode, code } = error as { errcode?: number; code?: string };
    throw errcode === SQLITE_BUSY || code === "ENOENT" ? inUse(path) : error;
  }
  return {
    release() {
      if (!file?.isOpen) return;
      try {
        // While it is held: a file that is deleted afterwards could already be the lock of another.
        rmSync(path, { force: true });
      } catch {
        // Windows deletes no open files. It stays, and does no harm.
      }
      give();
    },
  };
}

function inUse(path: string): UpdateError {
  return new UpdateError("in-use", `another updater is at work (it holds ${path})`);
}
