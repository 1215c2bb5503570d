import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { createCommand } from "../server/config.ts";
import { createDataFolders } from "./support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "./support/child-server.ts";
import { loginPlayer } from "./support/player.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "./support/postgres.ts";
import { isInstalled, requireOrSkip } from "./support/require.ts";
import { describeMetrics } from "./support/scrape.ts";
import { root } from "./support/server.ts";
import { blocks, expectTranscripts, runInShell, steps } from "./support/transcript.ts";

const DOCUMENT = "docs/operations.md";
/** Each command is a shell of its own. */
const TRANSCRIPTS_TIMEOUT_MS = 120_000;
const running = new Set<ChildServer>();
let text: string;
let folder: string;

beforeAll(async () => {
  text = await readFile(join(root, DOCUMENT), "utf8");
  folder = await mkdtemp(join(tmpdir(), "realmwire-operations-"));
});
afterAll(async () => {
  for (const server of running) await server.dispose();
  await rm(folder, { recursive: true, force: true });
});

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildServer {
  const server = runServer(args, env);
  running.add(server);
  return server;
}

/** The one block of commands that has this in it. */
function commands(part: string): string[] {
  const found = blocks("sh", text).filter((block) => block.includes(part));
  expect(found, part).toHaveLength(1);
  return (found[0] ?? "").trim().split("\n");
}

test(
  "the transcripts are what the server answers",
  async (context) => {
    requireOrSkip(context, await isInstalled("curl"), "curl");
    const folders = await createDataFolders();
    try {
      const server = run(serverArgs(await folders.next(), "--metrics-port", "0"));
      const { port } = await server.ready();
      const line = server.log.find(({ msg }) => msg.startsWith("metrics:"));
      const local = text.replaceAll("localhost:9464", `127.0.0.1:${Number(line?.["metricsPort"])}`);
      const all = blocks("console", local).flatMap(steps);
      expect(all.length).toBeGreaterThan(3);
      const printed = all.map(({ command, expected }) => ({
        command: `${command} | tr -d '\\r'`,
        expected,
      }));
      await expectTranscripts(printed, { port }, DOCUMENT);
    } finally {
      await folders.dispose();
    }
  },
  TRANSCRIPTS_TIMEOUT_MS,
);

test("the flags, variables, files and links that it names are there", async () => {
  const { options } = createCommand("1");
  const known = new Set(options.flatMap(({ long, envVar }) => [long, envVar]));
  // Those of other programs stand in blocks of commands.
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "");
  const flags = [...prose.matchAll(/`(--[a-z][a-z-]+)/g)].map(([, flag = ""]) => flag);
  expect(flags.length).toBeGreaterThan(20);
  const foreign = new Set(["--profile"]);
  for (const flag of flags) expect(known.has(flag) || foreign.has(flag), flag).toBe(true);
  for (const [, name = ""] of prose.matchAll(/`(REALMWIRE_\w+)/g)) {
    expect(known.has(name) || name === "REALMWIRE_COMMIT", name).toBe(true);
  }
  for (const [, target = ""] of prose.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    expect(existsSync(join(root, "docs", target)), target).toBe(true);
  }
  const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z\d ]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const [, anchor = ""] of prose.matchAll(/\]\(#([^)]+)\)/g))
    expect(anchors).toContain(anchor);
});

test("it lists every metric and every alert, and none that is not there", async () => {
  const { types } = await describeMetrics();
  const listed = new Set([...text.matchAll(/`(realmwire_[a-z_]+)`/g)].map(([, name = ""]) => name));
  expect(listed).toEqual(new Set(types.keys()));
  const { groups } = parse(await readFile(join(root, "deploy/alerts.yml"), "utf8")) as {
    groups: { rules: { alert: string }[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  const named = [...text.matchAll(/\bRealmwire[A-Z]\w+/g)].map(([name]) => name);
  expect(new Set(named)).toEqual(new Set(alerts));
});

test("the unit's folders and files are those that the installation makes", async () => {
  const unit = await readFile(join(root, "deploy/realmwire.service"), "utf8");
  const install = commands("useradd").join("\n");
  for (const [, part] of unit.matchAll(/^(?:WorkingDirectory|EnvironmentFile)=(\S+)$/gm)) {
    expect(install).toContain(part);
  }
  for (const [, file = ""] of install.matchAll(/ (deploy\/\S+)/g)) {
    expect(existsSync(join(root, file)), file).toBe(true);
  }
});

test("a backup of the embedded database is one", async () => {
  const data = join(folder, "data");
  const first = run(serverArgs(data));
  const { baseUrl } = await first.ready();
  const ada = await loginPlayer(baseUrl, "ada");
  await ada.world.set({
    attribute: "mood",
    change: { case: "value", value: { kind: { case: "stringValue", value: "kept" } } },
  });
  first.signal("SIGTERM");
  expect(await first.ended()).toEqual({ code: 0, signal: null });
  const { complaints } = await runInShell(commands("tar -czf"), { port: 0, folder });
  expect(complaints).toBe("");
  await rm(data, { recursive: true });
  await runInShell(["tar -xzf realmwire-backup.tar.gz"], { port: 0, folder });
  const again = await run(serverArgs(data)).ready();
  const back = await loginPlayer(again.baseUrl, "ada");
  expect(await back.get("", ["mood"])).toEqual({ mood: "kept" });
}, 60_000);

test("a dump of PostgreSQL is made while the server runs, and brings back what was", async (context) => {
  const programs = findPostgres();
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
  const postgres = await startPostgres(programs as string);
  const databaseUrl = await postgres.createDatabase();
  const env = { DATABASE_URL: databaseUrl, PATH: `${programs}:${process.env["PATH"]}` };
  const [dump = "", restore = ""] = commands("pg_dump");
  const shell = { port: 0, folder, env };
  try {
    const first = run(serverArgs(join(folder, "first")), env);
    const ada = await loginPlayer((await first.ready()).baseUrl, "ada");
    const set = (value: string) =>
      ada.world.set({
        attribute: "mood",
        change: { case: "value", value: { kind: { case: "stringValue", value } } },
      });
    await set("kept");
    expect((await runInShell([dump], shell)).complaints).toBe("");
    await set("lost");
    first.signal("SIGTERM");
    await first.ended();
    expect((await runInShell([restore], shell)).complaints).toBe("");
    const second = run(serverArgs(join(folder, "second")), env);
    const back = await loginPlayer((await second.ready()).baseUrl, "ada");
    expect(await back.get("", ["mood"])).toEqual({ mood: "kept" });
    await second.dispose();
  } finally {
    await postgres.close();
  }
}, 90_000);
