import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import {
  account,
  character,
  object,
  registry,
  vectorComponent,
} from "../../test/contracts/store-samples.ts";
import {
  findPostgres,
  POSTGRES_NEEDED,
  type PostgresServer,
  startPostgres,
} from "../../test/support/postgres.ts";
import { requireOrSkip } from "../../test/support/require.ts";
import { type Database, rows } from "./database.ts";
import { createPostgresBackend, createPostgresStore } from "./postgres-store.ts";
import { createSqlStore } from "./sql-store.ts";

/** Time limit of the stores here, so that nobody waits long for what does not come. */
const TIMEOUT_MS = 1000;

const UNAVAILABLE = {
  reason: ErrorReason.STORE_UNAVAILABLE,
  details: { retryDelayMs: 1000, cause: expect.any(Error) as Error },
};

/** Calls of the store that it must refuse. All are waited for at once, so that no rejection goes unseen. */
async function expectUnavailable(...calls: Promise<unknown>[]): Promise<void> {
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(UNAVAILABLE)));
}

const programs = findPostgres();
let running: PostgresServer | undefined;
beforeAll(async () => {
  if (programs) running = await startPostgres(programs);
});
afterAll(() => running?.close());
beforeEach((context) => {
  requireOrSkip(context, running !== undefined, POSTGRES_NEEDED);
});

function postgres(): PostgresServer {
  if (!running) throw new Error("PostgreSQL is not running.");
  return running;
}

/** A started store on a new database, and its database for statements that no store makes. */
async function openStore(poolSize = 3) {
  const url = await postgres().createDatabase();
  let database: Database | undefined;
  const backend = createPostgresBackend({ url, timeoutMs: TIMEOUT_MS, poolSize });
  const store = createSqlStore({
    registry,
    timeoutMs: TIMEOUT_MS,
    backend: { ...backend, begin: (begun) => (database = begun) },
  });
  await store.start();
  onTestFinished(() => store.close());
  if (!database) throw new Error("The store began without a database.");
  return { store, database, url };
}

test("a server that goes away and comes back is used again, whatever was under way", async () => {
  const { store } = await openStore();
  await store.createAccount(account("Ada"), character("Ada"));
  const saveOne = (i: number) =>
    store.save({ characters: [], objects: [object("town", `thing-${i}`, [vectorComponent(i)])] });
  const busy = Promise.allSettled(Array.from({ length: 30 }, (_, i) => saveOne(i)));
  await postgres().stop();
  for (const result of await busy) {
    if (result.status === "rejected") expect(result.reason).toMatchObject(UNAVAILABLE);
  }
  // More often than there are connections: none may be lost on the way.
  for (let i = 0; i < 10; i += 1) {
    const created = store.createAccount(account("B"), character("B"));
    await expectUnavailable(created, store.findAccount("Ada"));
  }
  await postgres().restart();
  expect((await store.findAccount("Ada"))?.name).toBe("Ada");
  await store.createAccount(account("B"), character("B"));
});

test("a server that does not answer is given up after the time limit, and used again when it answers", async () => {
  const { store, database } = await openStore();
  await store.ping();
  await postgres().pause();
  try {
    for (let i = 0; i < 4; i += 1) {
      const before = performance.now();
      const written = database.transaction((em) => rows(em, "select 1"));
      await expectUnavailable(store.ping(), written);
      expect(performance.now() - before).toBeLessThan(TIMEOUT_MS + 500);
    }
  } finally {
    await postgres().resume();
  }
  await expect
    .poll(() => store.ping().then(() => "answers", String), { timeout: 10_000 })
    .toBe("answers");
});

test("closing ends in time although the server does not answer", async () => {
  const { store } = await openStore();
  await store.ping();
  await postgres().pause();
  try {
    const before = performance.now();
    await store.close();
    expect(performance.now() - before).toBeLessThan(3 * TIMEOUT_MS);
  } finally {
    await postgres().resume();
  }
});

test("a transaction that loses its connection in the middle is not made, and costs the pool nothing", async () => {
  const { store, database } = await openStore(2);
  for (let i = 0; i < 5; i += 1) {
    const broken = database.transaction(async (em) => {
      await rows(em, "insert into facts values ('unfinished', 'yes')");
      await rows(em, "select pg_terminate_backend(pg_backend_pid())");
    });
    await expectUnavailable(broken);
  }
  expect(await store.getFact("unfinished")).toBeUndefined();
});

test("calls that find no free connection, and statements that take too long, are refused", async () => {
  const { store, database } = await openStore(2);
  const slow = Array.from({ length: 2 }, () =>
    database.run((em) => rows(em, "select pg_sleep(5)")),
  );
  const waiting = store.ping();
  await expectUnavailable(...slow, waiting);
  await store.ping();
});

test("nodes that start at once on an empty database make its tables once", async () => {
  const url = await postgres().createDatabase();
  const stores = Array.from({ length: 3 }, () =>
    createPostgresStore({ url, registry, poolSize: 2 }),
  );
  await Promise.all(stores.map((store) => store.start()));
  await stores[0]?.setFact("seen", "by all");
  expect(await stores[2]?.getFact("seen")).toBe("by all");
  await Promise.all(stores.map((store) => store.close()));
});

test("two nodes hold the rules together", async () => {
  const { store, url } = await openStore();
  const other = createPostgresStore({ url, registry });
  await other.start();
  onTestFinished(() => other.close());
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) =>
      (i % 2 ? store : other).createAccount(account("Ada"), character("Ada")),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a start without a server is refused, and works once there is one", async () => {
  const url = await postgres().createDatabase();
  const store = createPostgresStore({ url, registry, timeoutMs: TIMEOUT_MS });
  await postgres().stop();
  try {
    await expectUnavailable(store.start());
  } finally {
    await postgres().restart();
  }
  await store.start();
  await store.ping();
  await store.close();
});
