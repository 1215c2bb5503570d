import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { admin, runAdmin } from "../support/admin-command.ts";
import { loginPlayer, registerPlayer } from "../support/player.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { DEV_PASSWORD, startTestServer, type TestServer } from "../support/server.ts";

/** Each command is a process of its own that loads the game, and each server is started several times. */
const PATIENT = { timeout: 120_000 };

let folders: DataFolders;
let folder: string;
let data: string;
let server: TestServer;

beforeAll(async () => {
  folders = await createDataFolders();
});
afterAll(() => folders.dispose());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "admin-backup-"));
  data = await folders.next();
  server = await startTestServer({ dataDir: data });
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const env = (url = server.baseUrl): NodeJS.ProcessEnv => ({
  ...{ REALMWIRE_URL: url, XDG_STATE_HOME: folder },
  ...{ REALMWIRE_USER: "admin", REALMWIRE_PASSWORD: DEV_PASSWORD },
});

async function restart(dataDir = data): Promise<void> {
  await server.stop();
  server = await startTestServer({ dataDir });
}

/** What the world looks like to its players: who there is, what ada wrote down, and the map's revision. */
async function stateOf(names: readonly string[]) {
  const ada = await loginPlayer(server.baseUrl, "ada");
  const { notes } = await ada.get("", ["notes"]);
  const { accounts } = server.server;
  const known = await Promise.all(
    names.map((name) => accounts.users.get({ kind: "account", name }).then(Boolean, () => false)),
  );
  const { map } = await ada.zone.getMap({ zone: "town" });
  return { notes, known, revision: map?.revision };
}

async function write(notes: string): Promise<void> {
  const ada = await loginPlayer(server.baseUrl, "ada");
  const value = { kind: { case: "stringValue" as const, value: notes } };
  await ada.world.set({ attribute: "notes", change: { case: "value", value } });
}

async function edit(name: string): Promise<void> {
  const builder = await loginPlayer(server.baseUrl, "builder");
  const value = { name, kind: "signpost", position: { x: 30, y: 24 } };
  await builder.world.edit({ zone: "town", commands: [{ kind: { case: "putObject", value } }] });
}

test(
  "a restored server shows the world as it was at the backup, and what was there before is kept",
  PATIENT,
  async () => {
    const early = await registerPlayer(server.baseUrl, "early");
    await write("before");
    await edit("first-sign");
    const file = join(folder, "world.backup");
    expect(await admin(["backup", file], env())).toMatch(/"meadow" .* stood still for \d+ ms\n$/);
    const late = await registerPlayer(server.baseUrl, "late");
    await write("after");
    await edit("second-sign");
    const names = [early.name, late.name];
    expect(await stateOf(names)).toEqual({ notes: "after", known: [true, true], revision: 3 });

    const running = await runAdmin(["restore", file, "--data", data, "--force", "--yes"]);
    expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
    await server.stop();
    const unforced = await runAdmin(["restore", file, "--data", data, "--yes"]);
    expect(unforced).toMatchObject({ code: 1, stderr: expect.stringContaining("--force") });
    const unsure = await runAdmin(["restore", file, "--data", data, "--force"]);
    expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    const restored = await admin(
      ["restore", file, "--data", data, "--force", "--yes", "--json"],
      {},
    );
    await restart();
    expect(await stateOf(names)).toEqual({ notes: "before", known: [true, false], revision: 2 });
    const { previous } = JSON.parse(restored) as { previous: string };
    expect(await readdir(previous)).toContain("PG_VERSION");
  },
);

test(
  "a folder without a database takes a backup as it is, made from a folder without a server too",
  PATIENT,
  async () => {
    await write("kept");
    await server.stop();
    const file = join(folder, "world.backup");
    await admin(["backup", file, "--offline", "--data", data], {});
    const fresh = join(folder, "data");
    await admin(["restore", file, "--data", fresh, "--yes"], {});
    expect(await readdir(join(fresh, "database"))).toEqual(["database", "lock", "lock-owner.json"]);
    await restart(fresh);
    expect((await stateOf([])).notes).toBe("kept");
    const nothing = await runAdmin(["backup", join(folder, "no"), "--offline", "--data", folder]);
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("no database") });
  },
);

test(
  "a file that is cut short or damaged is refused, and nothing has changed",
  PATIENT,
  async () => {
    const file = join(folder, "world.backup");
    await admin(["backup", file], env());
    const again = await runAdmin(["backup", file], env());
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("is there already") });
    await write("still there");
    await server.stop();
    const before = await readdir(join(data, "database"));
    const whole = await readFile(file);
    const middle = whole.length >> 1;
    const damaged = Buffer.from(whole);
    damaged.writeUInt8((damaged.readUInt8(middle) + 1) % 256, middle);
    const bad = join(folder, "bad.backup");
    for (const bytes of [whole.subarray(0, middle), damaged]) {
      await writeFile(bad, bytes);
      const { code, stderr } = await runAdmin(["restore", bad, "--data", data, "--force", "--yes"]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/not whole|damaged|cannot be restored/),
      ]);
    }
    expect(await readdir(join(data, "database"))).toEqual(before);
    await restart();
    expect((await stateOf([])).notes).toBe("still there");
  },
);

test("with PostgreSQL a backup is refused, and pg_dump named", PATIENT, async (context) => {
  const programs = findPostgres();
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
  const postgres = await startPostgres(programs ?? "");
  const args = { "database-url": await postgres.createDatabase() };
  const other = await startTestServer({ args });
  try {
    const file = join(folder, "world.backup");
    const { code, stderr } = await runAdmin(["backup", file], env(other.baseUrl));
    expect([code, stderr]).toEqual([1, expect.stringContaining("pg_dump")]);
    expect(await readdir(folder)).toEqual(["realmwire"]);
  } finally {
    await other.dispose();
    await postgres.close();
  }
});
