import { cp, mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { updateFolder } from "../../clients/updater/index.ts";
import {
  bytesOf,
  PLATFORM,
  publishFiles,
  readTree,
  RELEASES,
  writeTree,
} from "../support/client-releases.ts";
import { DEADLINE_MS } from "../support/player.ts";
import { root, startTestServer, type TestServer } from "../support/server.ts";
import { runUpdater } from "../support/update-client.ts";

const OLD = {
  "assets/big.bin": bytesOf("big", 60_000),
  "only/here.txt": "gone later",
  thing: "a file",
  tool: "#!/bin/sh\necho tool\n",
};
const OWN = { "saves/one.sav": "a game", tool: "mine" };
/** What follows `OLD`. Both have few files, because each change of the file system is a run of its own. */
const SMALL = {
  "assets/big.bin": bytesOf("small", 70_000),
  "bin/tool": "#!/bin/sh\necho tool\n",
  "bin/tool.copy": "#!/bin/sh\necho tool\n",
  thing: "a file",
};
const KILL = join(root, "test/support/kill-at-call.ts");
const RANDOM_KILLS = 12;

let server: TestServer;
let work: string;
let trees: Record<"small" | "new", Record<string, string>>;

beforeAll(async () => {
  server = await startTestServer();
  await publishFiles(server, "0.5.0", OLD);
  await publishFiles(server, "1.0.0", RELEASES["1.0.0"]);
  trees = {
    small: await readTree(await publishFiles(server, "1.5.0", SMALL)),
    new: await readTree(await publishFiles(server, "2.0.0", RELEASES["2.0.0"])),
  };
  work = await mkdtemp(join(tmpdir(), "realmwire-kills-"));
});

afterAll(async () => {
  await server.dispose();
  await rm(work, { recursive: true, force: true });
});

async function makeClient(name: string, version: string): Promise<string> {
  const client = join(work, name, "client");
  const { baseUrl } = server;
  await updateFolder({ folder: client, baseUrl, platform: PLATFORM, version });
  await writeTree(client, OWN);
  return client;
}

/** The files of releases that the server, which is in this process, holds open. */
async function openReleaseFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((link) => link.startsWith(join(server.dataDir, "clients")));
}

function sorted(tree: object): object {
  return Object.fromEntries(Object.entries(tree).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is at a client's place: the old one, the new one, or, in the instant of a swap, none. Anything else fails. */
async function expectWhole(
  client: string,
  states: { readonly old: object; readonly new: object },
): Promise<"old" | "new" | "none"> {
  if (!(await readdir(join(client, ".."))).includes("client")) return "none";
  const tree = await readTree(client);
  const isOld = JSON.stringify(tree) === JSON.stringify(states.old);
  expect(tree).toEqual(isOld ? states.old : states.new);
  return isOld ? "old" : "new";
}

test("[PY-2] killed before every single change of the file system, it never leaves half a client", async () => {
  const client = await makeClient("calls", "0.5.0");
  const args = ["--url", server.baseUrl, "--to", "1.5.0", client];
  const copy = join(work, "calls/copy");
  await cp(client, copy, { recursive: true, verbatimSymlinks: true });
  const own = { "saves/one.sav": (await readTree(client))["saves/one.sav"] };
  const states = { old: await readTree(client), new: sorted({ ...trees.small, ...own }) };
  const seen = new Set<string>();
  let killed = 0;
  for (let at = 1; ; at++) {
    await rm(client, { recursive: true, force: true });
    await cp(copy, client, { recursive: true, verbatimSymlinks: true });
    const env = { REALMWIRE_KILL_AT: `${at}` };
    const run = await runUpdater(args, { nodeArgs: ["--import", KILL], env });
    if (run.signal === null) {
      expect(run).toMatchObject({ code: 0 });
      break;
    }
    killed++;
    seen.add(await expectWhole(client, states));
    await updateFolder({ folder: client, baseUrl: server.baseUrl, version: "1.5.0" });
    expect(await readTree(client), `killed before change ${at}`).toEqual(states.new);
    expect((await readdir(join(work, "calls"))).toSorted()).toEqual(["client", "copy"]);
  }
  // The instant between the two renames was one of them.
  expect([...seen].toSorted()).toEqual(["new", "none", "old"]);
  expect(killed).toBeGreaterThan(20);
}, 300_000);

test("[PY-2] killed at random moments, again and again, it comes to its end", async () => {
  const client = await makeClient("moments", "1.0.0");
  const args = ["--url", server.baseUrl, client];
  const own = { "saves/one.sav": (await readTree(client))["saves/one.sav"] };
  const states = { old: await readTree(client), new: sorted({ ...trees.new, ...own }) };
  const first = await runUpdater(["--check", ...args]);
  expect(first.code).toBe(3);
  for (let i = 0; i < RANDOM_KILLS; i++) {
    await runUpdater(args, { killAfterMs: 150 + Math.random() * 500 });
    await expectWhole(client, states);
  }
  expect(await runUpdater(args)).toMatchObject({ code: 0 });
  expect(await readTree(client)).toEqual(states.new);
  expect(await readdir(join(work, "moments"))).toEqual(["client"]);
}, 120_000);

test.runIf(process.platform === "linux")(
  "the server holds nothing open for those who are gone",
  async () => {
    await expect.poll(openReleaseFiles, { timeout: DEADLINE_MS }).toEqual([]);
  },
);
