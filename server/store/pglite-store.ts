import { PgliteDriver } from "@mikro-orm/pglite";
import { explainByRoom } from "./disk-room.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { createPgliteDialect } from "./pglite-dialect.ts";
import { deleteOldSnapshots, takePgliteSnapshot } from "./pglite-snapshot.ts";
import { createUpkeep } from "./pglite-upkeep.ts";
import { type PgliteThread, startPgliteThread } from "./pglite-thread.ts";
import { refuseHalfRestored } from "./set-aside.ts";
import {
  type Backend,
  createSqlStore,
  DEFAULT_TIMEOUT_MS,
  type SqlStoreOptions,
} from "./sql-store.ts";
import type { Store } from "./store.ts";
import { ConnectionLostError } from "./unavailable.ts";

/** A statement that takes longer has hung: the thread is ended and started anew, in milliseconds. */
const DEFAULT_STATEMENT_TIMEOUT_MS = 60_000;

/** How often old row versions are cleared away and the log is cut, in milliseconds. PGlite does neither by itself. */
const UPKEEP_INTERVAL_MS = 60_000;

/** How long a thread that could not be started is not tried again, in milliseconds: each try takes a second of a core. */
const RESTART_DELAY_MS = 2_000;

/** What the embedded store needs. */
export interface PgliteStoreOptions extends SqlStoreOptions {
  /** The data folder; it is created if need be. One server at a time may have it. */
  readonly dataDir: string;
  /** After this long a statement has hung, in milliseconds; a minute unless given. */
  readonly statementTimeoutMs?: number;
}

/**
 * Creates a store in a folder: PostgreSQL as WebAssembly, in a thread of its own. `start` rejects with a
 * `FolderInUseError` when another server has the folder. What was acknowledged is on the disk. When the thread fails,
 * operations under way reject with `STORE_UNAVAILABLE` and the next one starts it again, which recovers the folder.
 */
export function createPgliteStore(options: PgliteStoreOptions): Store {
  return createSqlStore({ ...options, backend: createPgliteBackend(options) });
}

/** Creates the backend of {@link createPgliteStore}. */
export function createPgliteBackend(options: Omit<PgliteStoreOptions, "registry">): Backend {
  const { dataDir, timeoutMs = DEFAULT_TIMEOUT_MS, logger } = options;
  const { statementTimeoutMs = DEFAULT_STATEMENT_TIMEOUT_MS } = options;
  let lock: FolderLock | undefined;
  let thread: Promise<PgliteThread> | undefined;
  let upkeep: NodeJS.Timeout | undefined;
  /** The last start that failed. */
  let failure: { readonly error: unknown; readonly at: number } | undefined;

  /** The dialect calls this for one connection at a time, so a thread is started once. */
  async function runningThread(): Promise<PgliteThread> {
    if (!lock) throw new ConnectionLostError("The store is closed.");
    if (thread) {
      const running = await thread.catch(() => undefined);
      if (running && !running.isOver()) return running;
      // Two at once would destroy the folder.
      await running?.close();
      if (failure && performance.now() - failure.at < RESTART_DELAY_MS) throw failure.error;
      logger?.warn({ dataDir }, "The embedded database failed and is started again");
    }
    thread = startThread();
    return thread;
  }

  async function startThread(): Promise<PgliteThread> {
    try {
      return await startPgliteThread({ dataDir, statementTimeoutMs });
    } catch (error) {
      failure = { error: explainByRoom(dataDir, error), at: performance.now() };
      throw failure.error;
    }
  }

  const dialect = createPgliteDialect({ thread: runningThread, timeoutMs });

  return {
    async open() {
      try {
        lock = lockFolder(dataDir);
      } catch (error) {
        throw explainByRoom(dataDir, error);
      }
      refuseHalfRestored(dataDir);
      await deleteOldSnapshots(dataDir);
      // Creating a folder takes longer than an operation may.
      await runningThread();
    },
    connection: () => ({
      driver: PgliteDriver,
      dbName: "postgres",
      driverOptions: () => dialect,
    }),
    alone: (_em, migrate) => migrate(),
    snapshot: async () => takePgliteSnapshot(dataDir, await runningThread()),
    begin(database) {
      const keepUp = createUpkeep(database);
      upkeep = setInterval(() => {
        keepUp().catch((error: unknown) => logger?.warn({ err: error }, "Upkeep failed"));
      }, UPKEEP_INTERVAL_MS);
      upkeep.unref();
    },
    async close() {
      clearInterval(upkeep);
      const running = await thread?.catch(() => undefined);
      thread = undefined;
      await running?.close();
      lock?.release();
      lock = undefined;
    },
  };
}
