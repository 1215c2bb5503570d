import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MikroORM, PgliteDriver } from "@mikro-orm/pglite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { startChild } from "../../test/contracts/store-children.ts";
import { object, registry, vectorComponent } from "../../test/contracts/store-samples.ts";
import { layEmptyDatabase } from "../../test/support/empty-database.ts";
import { type Database, rows } from "./database.ts";
import { entities } from "./entities.ts";
import { FolderInUseError } from "./folder-lock.ts";
import { createPgliteDialect } from "./pglite-dialect.ts";
import { asideName } from "./set-aside.ts";
import { createPgliteBackend, createPgliteStore, type PgliteStoreOptions } from "./pglite-store.ts";
import { startPgliteThread } from "./pglite-thread.ts";
import { createUpkeep } from "./pglite-upkeep.ts";
import { createSqlStore } from "./sql-store.ts";

const base = mkdtempSync(join(tmpdir(), "realmwire-pglite-"));
const template = join(base, "template");
let folders = 0;

beforeAll(() => layEmptyDatabase(template));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A data folder with an empty database. */
function newFolder(): string {
  const folder = join(base, `${++folders}`);
  cpSync(template, folder, { recursive: true });
  return folder;
}

/** A started store, and its database for statements that no store makes. */
async function openStore(options: Partial<PgliteStoreOptions> & { dataDir: string }) {
  let database: Database | undefined;
  const backend = createPgliteBackend(options);
  const store = createSqlStore({
    registry,
    ...options,
    backend: { ...backend, begin: (begun) => (database = begun) },
  });
  await store.start();
  onTestFinished(() => store.close());
  if (!database) throw new Error("The store began without a database.");
  return { store, database };
}

test("a folder that a server has is refused to another one, which leaves it alone", async () => {
  const dataDir = newFolder();
  const { store } = await openStore({ dataDir });
  const second = createPgliteStore({ dataDir, registry });
  const refusal = await second.start().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(FolderInUseError);
  expect(refusal).toMatchObject({ folder: dataDir, pid: process.pid });
  await store.setFact("still", "here");
  expect(await store.getFact("still")).toBe("here");
  await store.close();
  await second.start();
  expect(await second.getFact("still")).toBe("here");
  await second.close();
});

test("a folder whose database a restore set aside, and nothing came in its place, gets no new one", async () => {
  const dataDir = newFolder();
  const aside = join(dataDir, asideName(new Date(0)));
  renameSync(join(dataDir, "database"), aside);
  const store = createPgliteStore({ dataDir, registry });
  await expect(store.start()).rejects.toThrow(aside);
  renameSync(aside, join(dataDir, "database"));
  const { store: again } = await openStore({ dataDir });
  expect(await again.getFact("nothing")).toBeUndefined();
});

test("kill -9 in the middle of writes loses nothing that was acknowledged", async () => {
  const dataDir = newFolder();
  const child = startChild("./store-child-writer.ts", [dataDir]);
  const printed: string[] = [];
  while (printed.length < 60) printed.push((await child.nextLine()) ?? "ended");
  printed.push(...(await child.kill()));
  expect(printed).not.toContain("ended");

  const { store } = await openStore({ dataDir });
  const of = (kind: string) =>
    printed.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length + 1));
  expect(of("account").length).toBeGreaterThan(1);
  for (const name of of("account")) {
    expect((await store.findAccount(name))?.name).toBe(name);
    expect((await store.findCharacter(name))?.name).toBe(name);
  }
  const revisions = (await store.listEdits("town")).map(({ revision }) => `${revision}`);
  expect(revisions).toEqual(expect.arrayContaining(of("edit")));
  // A save is stored whole or not at all, and none is older than the last one acknowledged.
  const things = await store.listObjects("town");
  expect(things).toHaveLength(200);
  expect(new Set(things.map(({ components }) => components[0]?.value.join())).size).toBe(1);
});

test("a folder whose creation was cut short is created anew", async () => {
  const dataDir = join(base, "unfinished");
  mkdirSync(join(dataDir, "database.new", "base"), { recursive: true });
  writeFileSync(join(dataDir, "database.new", "PG_VERSION"), "18");
  const { store } = await openStore({ dataDir });
  await store.setFact("created", "anew");
  expect(await store.getFact("created")).toBe("anew");
});

test("commits are synced to the disk", async () => {
  const { store, database } = await openStore({ dataDir: newFolder() });
  const syncs = async () => {
    const [row] = await database.run((em) =>
      rows<{ fsync: string; count: number }>(
        em,
        `select current_setting('fsync') as fsync, sum(fsyncs)::int as count
         from pg_stat_io where object = 'wal'`,
      ),
    );
    return row;
  };
  await database.run((em) => rows(em, "select pg_stat_force_next_flush()"));
  const before = await syncs();
  for (let i = 0; i < 10; i += 1) await store.setFact("key", `${i}`);
  await database.run((em) => rows(em, "select pg_stat_force_next_flush()"));
  const after = await syncs();
  expect(after?.fsync).toBe("on");
  expect((after?.count ?? 0) - (before?.count ?? 0)).toBeGreaterThanOrEqual(10);
});

test("when the thread fails, calls are refused with STORE_UNAVAILABLE and the next one works again", async () => {
  const warnings: string[] = [];
  const { store, database } = await openStore({
    dataDir: newFolder(),
    statementTimeoutMs: 1000,
    logger: { info() {}, warn: (_fields, message) => warnings.push(message) },
  });
  await store.setFact("acknowledged", "yes");
  const endless = database.transaction(async (em) => {
    await rows(em, "insert into facts values ('unfinished', 'yes')");
    await rows(
      em,
      "with recursive t as (select 1 as n union all select n from t) select count(*) from t",
    );
  });
  await expect(endless).rejects.toMatchObject({
    reason: ErrorReason.STORE_UNAVAILABLE,
    details: { retryDelayMs: 1000, cause: expect.any(Error) as Error },
  });
  expect(await store.getFact("acknowledged")).toBe("yes");
  expect(await store.getFact("unfinished")).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining("started again")]);
});

test("who waits for the database longer than the time limit is refused, and what it asked for is not done", async () => {
  const { store, database } = await openStore({ dataDir: newFolder(), timeoutMs: 300 });
  const slow = database.run((em) => rows(em, "select count(*) from generate_series(1, 30000000)"));
  const behind = store.setFact("late", "yes");
  const unavailable = { reason: ErrorReason.STORE_UNAVAILABLE };
  await Promise.all([slow, behind].map((call) => expect(call).rejects.toMatchObject(unavailable)));
  await expect
    .poll(
      () =>
        store.ping().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
  expect(await store.getFact("late")).toBeUndefined();
});

test("a closed store refuses, and one that was never started too", async () => {
  const { store } = await openStore({ dataDir: newFolder() });
  await store.close();
  await store.close();
  for (const refused of [store, createPgliteStore({ dataDir: newFolder(), registry })]) {
    await expect(refused.ping()).rejects.toMatchObject({ reason: ErrorReason.STORE_UNAVAILABLE });
  }
});

test("upkeep keeps the folder small, however often the same things are saved", async () => {
  const { store, database } = await openStore({ dataDir: newFolder() });
  const upkeep = createUpkeep(database);
  const size = async () => {
    const [row] = await database.run((em) =>
      rows<{ mb: number }>(em, "select (pg_database_size(current_database()) / 1e6)::float8 as mb"),
    );
    return row?.mb ?? 0;
  };
  const save = async (round: number) => {
    const objects = Array.from({ length: 500 }, (_, i) =>
      object("town", `thing-${i}`, [vectorComponent(round)]),
    );
    for (let i = 0; i < 10; i += 1) await store.save({ characters: [], objects });
    await upkeep();
  };
  await save(0);
  const before = await size();
  for (let round = 1; round < 5; round += 1) await save(round);
  expect((await size()) - before).toBeLessThan(1);
});

test("the migrations make exactly the tables that the entities describe", async () => {
  const dataDir = newFolder();
  const thread = await startPgliteThread({ dataDir, statementTimeoutMs: 60_000 });
  onTestFinished(() => thread.close());
  const dialect = createPgliteDialect({ thread: async () => thread, timeoutMs: 5000 });
  const orm = await MikroORM.init({
    driver: PgliteDriver,
    dbName: "postgres",
    entities,
    driverOptions: () => dialect,
    schemaGenerator: { skipTables: ["mikro_orm_migrations"] },
  });
  onTestFinished(() => orm.close());
  expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe("");
  await thread.query("alter table facts add column extra text", []);
  expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toContain("extra");
});

test("a database that a newer server has migrated is refused", async () => {
  const dataDir = newFolder();
  const { store, database } = await openStore({ dataDir });
  await database.run((em) =>
    rows(em, "insert into mikro_orm_migrations (name) values ('9999-future')"),
  );
  await store.close();
  await expect(createPgliteStore({ dataDir, registry }).start()).rejects.toThrow("9999-future");
  // The folder was given back.
  await expect(createPgliteStore({ dataDir, registry }).start()).rejects.toThrow("9999-future");
});
