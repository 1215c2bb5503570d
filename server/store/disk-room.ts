import { statfsSync } from "node:fs";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Logger } from "../logger.ts";
import { type Database, rows } from "./database.ts";
import { ConnectionLostError, meansFull } from "./unavailable.ts";

/**
 * Free bytes below which a database that failed is taken to have failed for want of room: it makes its log in files of
 * 16 MB, and says of that only that it cannot go on.
 */
const FILE_OF_THE_LOG_BYTES = 16 * 1024 * 1024;

/** Rows of a kilobyte that are written to see whether there is room: more than the gaps in a table that others leave. */
const PROBE_ROWS = 1_024;

/** The disk of a data folder is full. */
export class DiskFullError extends ConnectionLostError {
  override readonly name = "DiskFullError";
  /** As Node and the system call it. */
  readonly code = "ENOSPC";

  constructor(folder: string, cause: unknown) {
    super(
      `The disk of the data folder ${folder} is full. Make room there, or choose another folder with --data or REALMWIRE_DATA.`,
      cause,
    );
  }
}

/** The error with which a database of a folder failed; a {@link DiskFullError} when its disk has no room. */
export function explainByRoom(folder: string, error: unknown): unknown {
  if (error instanceof DiskFullError) return error;
  return meansFull(error) || freeBytes(folder) < FILE_OF_THE_LOG_BYTES
    ? new DiskFullError(folder, error)
    : error;
}

/** Free bytes where a folder is; without end where the system does not tell. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Knows whether the database had room for what was written last. */
export interface RoomWatch {
  /** To be told of errors of the database. */
  onError(error: unknown): void;
  /**
   * Rejects while there is no room: a database on a full disk still answers what it is asked. After a write that failed for want of room, each
   * call tries to write as much as a megabyte, until that goes well.
   */
  check(database: Database): Promise<void>;
}

/** A watch that takes it that there is room. */
export function createRoomWatch(logger: Pick<Logger, "info" | "warn"> | undefined): RoomWatch {
  let isFull = false;
  return {
    onError(error) {
      if (isFull || !meansFull(error)) return;
      isFull = true;
      logger?.warn({ err: error }, "The disk of the database is full: nothing can be stored");
    },
    async check(database) {
      if (!isFull) return;
      await database.transaction(writeProbe);
      isFull = false;
      logger?.info({}, "The disk of the database has room again");
    },
  };
}

/** Writes what is gone with the transaction. A new table has no gaps that could be filled without taking room. */
async function writeProbe(em: SqlEntityManager): Promise<void> {
  await rows(em, "create temporary table realmwire_room (filler text) on commit drop");
  const filler = "insert into realmwire_room select repeat('x', 1000) from generate_series(1, $1)";
  await rows(em, filler, [PROBE_ROWS]);
}
