import type { Registry } from "@bufbuild/protobuf";
import { MikroORM, type Options } from "@mikro-orm/core";
import { Migrator } from "@mikro-orm/migrations";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { createAccountStore } from "./accounts.ts";
import { createCharacterStore } from "./characters.ts";
import { createChatStore } from "./chat.ts";
import { createComponentCodec } from "./component-codec.ts";
import { createDatabase, type Database, rows } from "./database.ts";
import { createRoomWatch } from "./disk-room.ts";
import { entities } from "./entities.ts";
import { migrations } from "./migrations/index.ts";
import { SETTLE_PLACES } from "./save-batch.ts";
import { createReleaseStore } from "./releases.ts";
import { createSessionStore } from "./sessions.ts";
import type { Snapshot, Store } from "./store.ts";
import { meansUnavailable, storeUnavailable } from "./unavailable.ts";
import { createWorldStore } from "./world.ts";

/** How long an operation may take, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** Where the store writes its log. A pino logger is one. */
export interface StoreLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What every SQL store needs. */
export interface SqlStoreOptions {
  /** Has the message types of all components: those of the server and those of the game. */
  readonly registry: Registry;
  /** Bounds each operation, in milliseconds. {@link DEFAULT_TIMEOUT_MS} unless given. */
  readonly timeoutMs?: number;
  /** Nothing is logged unless given. */
  readonly logger?: StoreLogger;
}

/** A kind of PostgreSQL. */
export interface Backend {
  /** Makes ready what the connection needs. */
  open(): Promise<void>;
  /** How MikroORM connects: for the migrations, which may take long, or for the operations. */
  connection(purpose: "migrations" | "operations"): Partial<Options>;
  /** Calls `migrate` while no other server does. */
  alone(em: SqlEntityManager, migrate: () => Promise<void>): Promise<void>;
  /** Copies the database's folder as it is at one moment. Undefined: it has none. */
  readonly snapshot?: () => Promise<Omit<Snapshot, "migrations">>;
  /** Begins what goes on in the background. */
  begin?(database: Database): void;
  /** Ends all that was opened, whether or not everything was. */
  close(): Promise<void>;
}

type State = { readonly kind: "closed" } | { readonly kind: "open"; readonly orm: MikroORM };

/** Creates a store on a kind of PostgreSQL. */
export function createSqlStore(options: SqlStoreOptions & { readonly backend: Backend }): Store {
  const { backend, registry, timeoutMs = DEFAULT_TIMEOUT_MS, logger } = options;
  const room = createRoomWatch(logger);
  const database = createDatabase({ timeoutMs, onError: room.onError });
  const codec = createComponentCodec(registry);
  let state: State = { kind: "closed" };

  function connect(purpose: "migrations" | "operations"): Promise<MikroORM> {
    const settings: Partial<Options> = {
      ...backend.connection(purpose),
      entities,
      extensions: [Migrator],
      migrations: {
        migrationsList: migrations,
        snapshot: false,
        disableForeignKeys: false,
        silent: true,
      },
      logger: (message: string) => logger?.warn({}, message),
      colors: false,
    };
    return MikroORM.init(settings as Options);
  }

  async function migrate(): Promise<void> {
    const orm = await connect("migrations");
    try {
      await backend.alone(orm.em as SqlEntityManager, async () => {
        refuseNewer(await orm.migrator.getExecuted());
        for (const { name } of await orm.migrator.up())
          logger?.info({ migration: name }, "Migrated");
      });
    } finally {
      await closeWithin(orm, timeoutMs);
    }
  }

  return {
    async start() {
      if (state.kind === "open") throw new Error("The store has been started.");
      try {
        await backend.open();
        await migrate();
        const orm = await connect("operations");
        state = { kind: "open", orm };
        database.open(orm.em as SqlEntityManager);
        await this.ping();
        await database.run((em) => rows(em, SETTLE_PLACES, [null]));
        backend.begin?.(database);
      } catch (error) {
        await this.close();
        throw meansUnavailable(error) ? storeUnavailable(error) : error;
      }
    },
    async close() {
      const before = state;
      state = { kind: "closed" };
      await database.drain();
      if (before.kind === "open") await closeWithin(before.orm, timeoutMs);
      await backend.close();
    },
    async ping() {
      await database.run((em) => rows(em, "select 1"));
      await room.check(database);
    },
    async snapshot() {
      if (state.kind !== "open") throw storeUnavailable(new Error("The store is not open."));
      if (!backend.snapshot) throw noSnapshots();
      const migrator = state.orm.migrator;
      try {
        const executed = await migrator.getExecuted();
        return { ...(await backend.snapshot()), migrations: executed.map(({ name }) => name) };
      } catch (error) {
        throw meansUnavailable(error) ? storeUnavailable(error) : error;
      }
    },
    ...createAccountStore({ database, codec }),
    ...createCharacterStore({ database, codec }),
    ...createSessionStore({ database, codec }),
    ...createWorldStore({ database, codec }),
    ...createChatStore({ database }),
    ...createReleaseStore({ database }),
  };
}

function noSnapshots(): DomainError {
  const cause =
    "the world is in a PostgreSQL server (DATABASE_URL), which has its own backups: use pg_dump";
  return new DomainError(ErrorReason.BACKUP_UNAVAILABLE, cause, { metadata: { cause } });
}

/** Closes the connections. A database that does not answer does not say goodbye either: then the backend cuts them off. */
async function closeWithin(orm: MikroORM, timeoutMs: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, timeoutMs);
  await Promise.race([orm.close(), limit.promise]);
  clearTimeout(timer);
}

/** A database that a newer server has changed is not touched: this one does not know what the change means. */
function refuseNewer(executed: readonly { readonly name: string }[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const newer = executed.find(({ name }) => !known.has(name));
  if (!newer) return;
  throw new Error(
    `The database has the migration "${newer.name}", which this server does not know: a newer server has used it.`,
  );
}
