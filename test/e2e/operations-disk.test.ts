import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { TestContext } from "vitest";
import { startPgliteThread } from "../../server/store/pglite-thread.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { eventually, loginPlayer } from "../support/player.ts";
import { findPostgres, freePort, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { root } from "../support/server.ts";
import { createSmallDisk, SMALL_DISK_NEEDED, type SmallDisk } from "../support/small-disk.ts";
import {
  checkLedger,
  createWriter,
  expectWorldGoesOn,
  newLedger,
  statusOf,
  writeUntilFull,
} from "./disk/life-on-full-disk.ts";

const MB = 1024 * 1024;
/** A new world takes 40 MB; the rest is for its log and for a fill. */
const DISK_BYTES = 128 * MB;
/** A file to which nothing can be written for want of room. */
const FULL_DEVICE = "/dev/full";
/** Size of a file of the database's log. */
const LOG_FILE_BYTES = 16 * MB;
const STOP_DEADLINE_MS = 25_000;

/** A world that starts up to three times. */
vi.setConfig({ testTimeout: 120_000 });

let folders: DataFolders;
let server: ChildServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
});
afterEach(() => server?.dispose());
afterAll(() => folders.dispose());

async function smallDisk(context: TestContext, bytes: number): Promise<SmallDisk> {
  const disk = await createSmallDisk(bytes);
  requireOrSkip(context, disk !== undefined, SMALL_DISK_NEEDED);
  if (!disk) throw new Error("skipped");
  onTestFinished(() => disk.close());
  return disk;
}

/** A server of which the data folder is on the small disk. */
function runOn(disk: SmallDisk): ChildServer {
  server = runServer(serverArgs(join(disk.folder, "data")), {}, disk.within(root));
  return server;
}

async function putData(disk: SmallDisk): Promise<string> {
  const data = join(disk.outside, "data");
  await cp(await folders.next(), data, { recursive: true });
  return data;
}

/** Refuses while there is no room, goes on when there is, and forgets nothing: in one server and over its end by force. Its log comes back. */
async function liveThrough(
  disk: SmallDisk,
  start: () => Promise<string>,
  full: () => void,
): Promise<string[]> {
  const ledger = newLedger();
  let baseUrl = await start();
  const ada = await loginPlayer(baseUrl, "ada", { protocol: "grpc" });
  await ada.position();
  const writer = await createWriter(baseUrl, ledger);
  await writer.round();
  expect(ledger).toMatchObject({ added: 1n, refusedAccounts: [] });
  expect(await statusOf(baseUrl, "readyz")).toBe(200);

  full();
  await writeUntilFull(writer);
  expect(await writer.builder.get("", ["steps"])).toEqual({ steps: ledger.added });
  await expectWorldGoesOn(baseUrl, ada);
  await eventually("not ready", async () => (await statusOf(baseUrl, "readyz")) === 503);

  disk.makeRoom();
  await eventually("ready", async () => (await statusOf(baseUrl, "readyz")) === 200);
  expect(await writer.round()).toEqual(Array.from({ length: 4 }));
  await checkLedger(baseUrl, ledger);
  await server?.dispose();
  const log = server?.log.map(({ msg }) => msg) ?? [];
  baseUrl = await start();
  await checkLedger(baseUrl, ledger);
  return log;
}

test("a full disk stops no world: what cannot be stored is refused, and goes on when there is room", async (context) => {
  const disk = await smallDisk(context, DISK_BYTES);
  await putData(disk);
  const start = async () => (await runOn(disk).ready()).baseUrl;
  const log = await liveThrough(disk, start, () => disk.fill());
  expect(log).toContain("The disk of the database is full: nothing can be stored");
  expect(log).toContain("The disk of the database has room again");
});

test("neither does one on which the database cannot go on with its log", async (context) => {
  const disk = await smallDisk(context, DISK_BYTES);
  await useUpLog(join(await putData(disk), "database"));
  const start = async () => (await runOn(disk).ready()).baseUrl;
  const log = await liveThrough(disk, start, () => disk.fill(LOG_FILE_BYTES / 2));
  expect(log).toContain("The embedded database failed and is started again");
});

/** Writes so much to the log of a database that little more is left of its file than what a start writes, and takes away files for later. */
async function useUpLog(dataDir: string): Promise<void> {
  const database = await startPgliteThread({ dataDir, statementTimeoutMs: 10_000 });
  const place = async () => {
    const at = `select pg_walfile_name(lsn) as file, (lsn - '0/0') % ${LOG_FILE_BYTES} as offset from pg_current_wal_insert_lsn() as lsn`;
    const [row] = (await database.query(at, [])).rows;
    return { file: String(row?.["file"]), used: Number(row?.["offset"]) / LOG_FILE_BYTES };
  };
  let at = await place();
  // From three quarters on the next file is made in advance.
  while (at.used < 0.6 || at.used > 0.7) {
    await database.query("select pg_logical_emit_message(false, '', repeat('x', 500000))", []);
    at = await place();
  }
  await database.close();
  const folder = join(dataDir, "database/pg_wal");
  const later = (await readdir(folder)).filter(
    (file) => /^[\dA-F]{24}$/.test(file) && file > at.file,
  );
  await Promise.all(later.map((file) => rm(join(folder, file))));
}

test("a server on a full disk does not start, says why, and starts when there is room", async (context) => {
  const disk = await smallDisk(context, DISK_BYTES);
  await putData(disk);
  disk.fill();
  const failed = runOn(disk);
  expect(await failed.ended()).toEqual({ code: 1, signal: null });
  expect(failed.stderr).toContain(
    `The disk of the data folder ${disk.folder}/data/database is full`,
  );
  disk.makeRoom();
  const { baseUrl } = await runOn(disk).ready();
  await loginPlayer(baseUrl, "ada");
});

test("neither does one that has no room for a new world, and what it began does not hinder it later", async (context) => {
  const disk = await smallDisk(context, DISK_BYTES);
  await mkdir(join(disk.outside, "data"));
  disk.fill(LOG_FILE_BYTES);
  const failed = runOn(disk);
  expect(await failed.ended()).toEqual({ code: 1, signal: null });
  expect(failed.stderr).toContain(
    `The disk of the data folder ${disk.folder}/data/database is full`,
  );
  disk.makeRoom();
  const { baseUrl } = await runOn(disk).ready();
  await loginPlayer(baseUrl, "ada");
});

test("a server stops in time on a full disk, and says that not everything was saved", async (context) => {
  const disk = await smallDisk(context, DISK_BYTES);
  await putData(disk);
  const running = runOn(disk);
  const { baseUrl } = await running.ready();
  const ledger = newLedger();
  const writer = await createWriter(baseUrl, ledger);
  await writer.round();
  disk.fill();
  await writeUntilFull(writer);
  const began = performance.now();
  running.signal("SIGTERM");
  expect(await running.ended()).toEqual({ code: 1, signal: null });
  expect(performance.now() - began).toBeLessThan(STOP_DEADLINE_MS);
  const lines = running.log.map(({ msg }) => msg);
  expect(lines).toContain("stopped, but not everything could be closed");
  disk.makeRoom();
  await checkLedger((await runOn(disk).ready()).baseUrl, ledger);
});

test("a log that goes to a full disk does not end its server", async (context) => {
  requireOrSkip(context, existsSync(FULL_DEVICE), FULL_DEVICE);
  const args = serverArgs(await folders.next(), "--port", String(await freePort()));
  const port = args.at(-1);
  const within = ["sh", "-c", `exec "$0" "$@" > ${FULL_DEVICE}`];
  server = runServer(args, {}, within);
  const baseUrl = `http://127.0.0.1:${port}`;
  await eventually("a server", () => statusOf(baseUrl, "readyz").catch(() => undefined));
  await loginPlayer(baseUrl, "ada");
  server.signal("SIGTERM");
  expect(await server.ended()).toEqual({ code: 0, signal: null });
});

test("a PostgreSQL whose disk is full is treated alike", async (context) => {
  const programs = findPostgres();
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
  requireOrSkip(
    context,
    process.getuid?.() === 0,
    "root, which may run PostgreSQL on a small disk",
  );
  const disk = await smallDisk(context, DISK_BYTES);
  const postgres = await startPostgres(programs ?? "", { tables: disk });
  onTestFinished(() => postgres.close());
  const args = serverArgs(await folders.next(), "--database-url", await postgres.createDatabase());
  const start = async () => {
    server = runServer(args);
    return (await server.ready()).baseUrl;
  };
  const log = await liveThrough(disk, start, () => disk.fill());
  expect(log).toContain("The disk of the database is full: nothing can be stored");
});
