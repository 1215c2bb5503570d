import {
  type DatabaseConnection,
  type Dialect,
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { PgliteThread } from "./pglite-thread.ts";
import { ConnectionLostError } from "./unavailable.ts";

/**
 * A Kysely dialect that speaks to the embedded database in its thread. PGlite is a single connection: whoever acquires
 * it has it alone, and others wait in line, at most `timeoutMs`. `thread` gives the thread, started anew if it has ended.
 */
export function createPgliteDialect(options: {
  readonly thread: () => Promise<PgliteThread>;
  readonly timeoutMs: number;
}): Dialect {
  const line = createLine(options.timeoutMs);

  const driver: ReturnType<Dialect["createDriver"]> = {
    async init() {},
    async acquireConnection() {
      await line.enter();
      try {
        return createConnection(await options.thread());
      } catch (error) {
        line.leave();
        throw error;
      }
    },
    async releaseConnection() {
      line.leave();
    },
    beginTransaction: (connection, settings) => run(connection, beginStatement(settings)),
    commitTransaction: (connection) => run(connection, "commit"),
    rollbackTransaction: (connection) => run(connection, "rollback"),
    savepoint: (connection, name) => run(connection, `savepoint ${quoted(name)}`),
    rollbackToSavepoint: (connection, name) =>
      run(connection, `rollback to savepoint ${quoted(name)}`),
    releaseSavepoint: (connection, name) => run(connection, `release savepoint ${quoted(name)}`),
    async destroy() {},
  };

  return {
    createDriver: () => driver,
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (database) => new PostgresIntrospector(database),
  };
}

async function run(connection: DatabaseConnection, sql: string): Promise<void> {
  await connection.executeQuery(CompiledQuery.raw(sql));
}

function beginStatement({ isolationLevel, accessMode }: TransactionSettings): string {
  const level = isolationLevel ? ` isolation level ${isolationLevel}` : "";
  return `start transaction${level}${accessMode ? ` ${accessMode}` : ""}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A connection stays with its thread: after the thread's end it is dead, so no transaction goes on in another one. */
function createConnection(thread: PgliteThread): DatabaseConnection {
  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, affected } = await thread.query(sql, parameters);
      return {
        rows: rows as R[],
        ...(affected === undefined ? {} : { numAffectedRows: BigInt(affected) }),
      };
    },
    streamQuery() {
      throw new Error("The embedded database does not stream.");
    },
  };
}

/** A line before a single counter. */
interface Line {
  /** Resolves when it is one's turn; rejects after the time limit. */
  enter(): Promise<void>;
  leave(): void;
}

function createLine(timeoutMs: number): Line {
  const waiting = new Set<() => void>();
  let taken = false;
  return {
    async enter() {
      if (!taken) {
        taken = true;
        return;
      }
      const turn = Promise.withResolvers<void>();
      waiting.add(turn.resolve);
      const timer = setTimeout(() => {
        waiting.delete(turn.resolve);
        turn.reject(new ConnectionLostError(`The database was busy for ${timeoutMs} ms.`));
      }, timeoutMs);
      try {
        await turn.promise;
      } finally {
        clearTimeout(timer);
      }
    },
    leave() {
      const [next] = waiting;
      if (!next) {
        taken = false;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}
