import { setTimeout as delay } from "node:timers/promises";
import { PostgreSqlDriver } from "@mikro-orm/postgresql";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { CompiledQuery, type Kysely } from "kysely";
import {
  type Backend,
  createSqlStore,
  DEFAULT_TIMEOUT_MS,
  type SqlStoreOptions,
} from "./sql-store.ts";
import type { Store } from "./store.ts";
import { ConnectionLostError } from "./unavailable.ts";

/** Connections to the database that a server keeps at most. */
const DEFAULT_POOL_SIZE = 10;

/** The server ends a statement at the time limit; this much later the connection is given up, in milliseconds. */
const GRACE_MS = 500;

/** How long the migrations may take, and how long a server waits while another one makes them, in milliseconds. */
const MIGRATION_TIMEOUT_MS = 10 * 60_000;

/** How often a server asks whether the other one is done, in milliseconds. */
const MIGRATION_POLL_MS = 250;

/** What a store in a PostgreSQL server needs. */
export interface PostgresStoreOptions extends SqlStoreOptions {
  /** Such as `postgres://user:password@host:5432/database`. */
  readonly url: string;
  /** Connections at most; 10 unless given. */
  readonly poolSize?: number;
}

/**
 * Creates a store in a PostgreSQL server, version 14 or newer. When the server goes away operations reject with
 * `STORE_UNAVAILABLE`, and when it comes back they work again.
 */
export function createPostgresStore(options: PostgresStoreOptions): Store {
  return createSqlStore({ ...options, backend: createPostgresBackend(options) });
}

/** Creates the backend of {@link createPostgresStore}. */
export function createPostgresBackend(options: Omit<PostgresStoreOptions, "registry">): Backend {
  const { url, poolSize = DEFAULT_POOL_SIZE, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const clients = new Set<PoolClient>();

  function watch(pool: Pool): void {
    pool.on("connect", (client) => {
      clients.add(client);
      giveUpOnTimeout(client);
    });
    pool.on("remove", (client) => clients.delete(client));
  }

  return {
    async open() {},
    connection(purpose) {
      const statementTimeoutMs = purpose === "migrations" ? MIGRATION_TIMEOUT_MS : timeoutMs;
      return {
        driver: PostgreSqlDriver,
        clientUrl: url,
        // A migration needs one connection for the lock and one for the work.
        pool: { min: 0, max: purpose === "migrations" ? 2 : poolSize },
        driverOptions: {
          connectionString: url,
          application_name: "realmwire",
          connectionTimeoutMillis: timeoutMs,
          statement_timeout: statementTimeoutMs,
          query_timeout: statementTimeoutMs + GRACE_MS,
          // A server that vanished in the middle of a transaction must not hold its locks for long.
          idle_in_transaction_session_timeout: statementTimeoutMs + GRACE_MS,
          keepAlive: true,
          onPoolCreated: watch,
        },
      };
    },
    alone: (em, migrate) => whileLocked(em, migrate),
    async close() {
      // Connections that could not say goodbye.
      for (const client of clients) client.connection.stream.destroy();
      clients.clear();
    },
  };
}

/** What is used of a connection of the `pg` driver, which has no types of its own. */
interface PoolClient {
  query(...args: unknown[]): unknown;
  readonly connection: { readonly stream: { destroy(): void } };
}

interface Pool {
  on(event: "connect" | "remove", listener: (client: PoolClient) => void): void;
}

/**
 * Ends a connection on which a statement was not answered in time. The driver would put it back into the pool, where
 * the next statement would wait behind the one that nobody answers.
 */
function giveUpOnTimeout(client: PoolClient): void {
  const query = client.query.bind(client);
  client.query = (...args) => {
    const result = query(...args);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === "Query read timeout") {
          client.connection.stream.destroy();
        }
      });
    }
    return result;
  };
}

/** Calls `migrate` while this server has the migration lock of the database; waits for the lock if need be. */
async function whileLocked(em: SqlEntityManager, migrate: () => Promise<void>): Promise<void> {
  const kysely: Kysely<unknown> = em.getKysely();
  await kysely.connection().execute(async (connection) => {
    const ask = async (call: string) => {
      const query = CompiledQuery.raw(`select ${call}(hashtext('realmwire migrations')) as done`);
      const { rows } = await connection.executeQuery<{ done: boolean }>(query);
      return rows[0]?.done === true;
    };
    const giveUpAt = Date.now() + MIGRATION_TIMEOUT_MS;
    while (!(await ask("pg_try_advisory_lock"))) {
      if (Date.now() > giveUpAt)
        throw new ConnectionLostError("Another server's migrations do not end.");
      await delay(MIGRATION_POLL_MS);
    }
    try {
      await migrate();
    } finally {
      await ask("pg_advisory_unlock");
    }
  });
}
