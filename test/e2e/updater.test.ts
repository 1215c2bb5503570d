import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { checkFolder, updateFolder } from "../../clients/updater/index.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import {
  PLATFORM,
  publishFiles,
  readTree,
  RELEASES,
  writeTree,
} from "../support/client-releases.ts";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { root } from "../support/server.ts";
import { runUpdater } from "../support/update-client.ts";

const FAST = { firstDelayMs: 5, maxDelayMs: 20, maxAttempts: 30, maxFirstAttempts: 3 };

let folders: DataFolders;
let dataDir: string;
let child: ChildServer;
let baseUrl: string;
let proxy: Proxy;
let trees: Record<keyof typeof RELEASES, Record<string, string>>;
let work: string;
let client: string;

beforeAll(async () => {
  folders = await createDataFolders();
  dataDir = await folders.next();
  child = runServer(serverArgs(dataDir));
  const ready = await child.ready();
  baseUrl = ready.baseUrl;
  proxy = await startProxy(ready.port);
  const server = { baseUrl, dataDir };
  trees = {
    "1.0.0": await readTree(await publishFiles(server, "1.0.0", RELEASES["1.0.0"])),
    "2.0.0": await readTree(await publishFiles(server, "2.0.0", RELEASES["2.0.0"])),
  };
  work = await mkdtemp(join(tmpdir(), "realmwire-updater-"));
}, 120_000);

afterAll(async () => {
  await proxy.close();
  await child.dispose();
  await folders.dispose();
  await rm(work, { recursive: true, force: true });
});

beforeEach(async () => {
  client = join(await mkdtemp(join(work, "test-")), "client");
});

/** A client as the updater makes one. */
async function install(version: keyof typeof RELEASES): Promise<void> {
  await updateFolder({ folder: client, baseUrl, platform: PLATFORM, version });
}

async function expectAlone(): Promise<void> {
  expect(await readdir(join(client, ".."))).toEqual(["client"]);
}

test("[PY-2] an anonymous client becomes a release in an empty place, and says what it fetched", async () => {
  const seen: string[] = [];
  const report = await updateFolder({
    folder: client,
    baseUrl,
    platform: PLATFORM,
    onProgress: ({ kind }) => void seen.push(kind),
  });
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  expect(report).toMatchObject({ version: "2.0.0", versionBefore: undefined, renamed: [] });
  expect(report.added).toHaveLength(Object.keys(RELEASES["2.0.0"]).length);
  expect([...new Set(seen)]).toEqual(["downloading", "installing"]);
  await expectAlone();
});

test("[PY-2] an old client becomes the new one byte for byte, and fetches only what differs", async () => {
  await install("1.0.0");
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  const would = await checkFolder({ folder: client, baseUrl });
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  const { renamed, ...report } = await updateFolder({ folder: client, baseUrl });
  expect(report).toEqual(would);
  expect(renamed).toEqual([]);
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  expect(report).toMatchObject({ version: "2.0.0", versionBefore: "1.0.0", upToDate: false });
  expect(report.changed.toSorted()).toEqual(
    ["assets/big.bin", "bin/run", "docs/größe.txt", "tool"].toSorted(),
  );
  expect(report.removed.toSorted()).toEqual([
    "assets/removed.bin",
    "empty",
    "moved/from.bin",
    "only/here/deep/down.txt",
    "thing",
    "things/one.txt",
  ]);
  // Neither what moved, nor a twin twice, nor what stayed.
  expect(report.bytes).toBeLessThan(700_000 + 150_000 + 100);
  expect(await updateFolder({ folder: client, baseUrl })).toMatchObject({
    upToDate: true,
    bytes: 0,
  });
  await expectAlone();
});

test("[PY-2] a client that was not made by the updater: its release has to be named", async () => {
  await cp(join(dataDir, "clients", PLATFORM, "1.0.0"), client, { recursive: true });
  const options = { folder: client, baseUrl, platform: PLATFORM };
  await expect(updateFolder(options)).rejects.toMatchObject({ failure: "unknown-folder" });
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  await updateFolder({ ...options, from: "1.0.0" });
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  // And back, which is an update like any other.
  await updateFolder({ folder: client, baseUrl, version: "1.0.0" });
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
});

test("nothing of an unknown client is lost", async () => {
  await writeTree(client, { "settings.json": "{}", tool: "mine", "things/own.txt": "mine too" });
  const options = { folder: client, baseUrl, platform: PLATFORM, from: "unknown" };
  const { renamed } = await updateFolder(options);
  expect(renamed).toEqual([
    { from: "things", to: "things.saved" },
    { from: "tool", to: "tool.saved" },
  ]);
  expect(await readFile(join(client, "tool.saved"), "utf8")).toBe("mine");
  expect(await readFile(join(client, "things.saved/own.txt"), "utf8")).toBe("mine too");
  expect(await readTree(client)).toMatchObject(trees["2.0.0"]);
});

test("what the user made stays, changed files of the release are replaced, links are not written through", async () => {
  await install("1.0.0");
  const outside = join(client, "../outside");
  await writeTree(outside, { "new.bin": "not yours", "kept.bin": "not yours" });
  await writeTree(client, {
    "saves/one.sav": "a game",
    "saves/empty/.keep": "",
    "only/here/note.txt": "a note",
    "assets/new.bin": "in the way",
    tool: "changed by hand",
  });
  await mkdir(join(client, "screenshots"));
  await mkdir(join(client, "saves/private"), { mode: 0o700 });
  await rm(join(client, "docs"), { recursive: true });
  await symlink(outside, join(client, "docs"));
  await rm(join(client, "bin/run"));
  await symlink(join(outside, "new.bin"), join(client, "bin/run"));
  await symlink("../saves/one.sav", join(client, "only/link"));
  const before = await readTree(outside);
  const { renamed } = await updateFolder({ folder: client, baseUrl });
  expect(renamed.toSorted((a, b) => (a.from < b.from ? -1 : 1))).toEqual([
    { from: "assets/new.bin", to: "assets/new.bin.saved" },
    { from: "docs", to: "docs.saved" },
  ]);
  const tree = await readTree(client);
  expect(tree).toMatchObject(trees["2.0.0"]);
  const own = Object.keys(tree).filter((path) => !(path in trees["2.0.0"]));
  expect(own).toEqual([
    "assets/new.bin.saved",
    "docs.saved",
    "only/here/note.txt",
    "only/link",
    "saves/empty/.keep",
    "saves/one.sav",
    "saves/private",
    "screenshots",
  ]);
  expect([tree["docs.saved"], tree["only/link"]]).toEqual([
    `link to ${outside}`,
    "link to ../saves/one.sav",
  ]);
  expect(await readFile(join(client, "saves/one.sav"), "utf8")).toBe("a game");
  expect(await readFile(join(client, "assets/new.bin.saved"), "utf8")).toBe("in the way");
  expect(await readTree(outside)).toEqual(before);
});

test("[PY-2] cut at random bytes, again and again, it goes on where it was", async () => {
  await install("1.0.0");
  let bytes = 0;
  let cuts = 0;
  // A piece has 64 KiB: of those that are cut in two, nothing counts.
  const cutSoon = () => proxy.cutAfter(Math.floor(Math.random() * 200_000));
  const report = await updateFolder({
    folder: client,
    baseUrl: proxy.baseUrl,
    retry: FAST,
    onProgress(progress) {
      if (progress.kind === "downloading") {
        if (progress.bytes === 0) cutSoon();
        expect(progress.bytes).toBeGreaterThanOrEqual(bytes);
        bytes = progress.bytes;
      } else if (progress.kind === "waiting") {
        cuts++;
        cutSoon();
      }
    },
  });
  proxy.cutAfter(Number.POSITIVE_INFINITY);
  expect(bytes).toBe(report.bytes);
  expect(cuts).toBeGreaterThan(2);
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  await expectAlone();
});

test("[PY-2] what was fetched before an update ended is not fetched again", async () => {
  await install("1.0.0");
  const end = new AbortController();
  const ended = updateFolder({
    folder: client,
    baseUrl,
    signal: end.signal,
    onProgress(progress) {
      if (progress.kind === "downloading" && progress.bytes > 300_000)
        end.abort(new Error("enough"));
    },
  });
  await expect(ended).rejects.toThrow("enough");
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  const begun: number[] = [];
  await updateFolder({
    folder: client,
    baseUrl,
    onProgress: (progress) => void (progress.kind === "downloading" && begun.push(progress.bytes)),
  });
  expect(begun[0]).toBeGreaterThan(300_000);
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  await expectAlone();
});

test("a server that is not there, a release that is not there", async () => {
  await install("1.0.0");
  const unknown = updateFolder({ folder: client, baseUrl, version: "7.7.7" });
  await expect(unknown).rejects.toMatchObject({ reason: ErrorReason.RELEASE_UNKNOWN });
  let waits = 0;
  const nowhere = updateFolder({
    folder: client,
    baseUrl: "http://127.0.0.1:9",
    retry: FAST,
    onProgress: ({ kind }) => void (waits += Number(kind === "waiting")),
  });
  await expect(nowhere).rejects.toThrow("the connection to http://127.0.0.1:9 failed");
  expect(waits).toBe(2);
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  await expectAlone();
});

test("[PY-2] the server's own SDK updates itself", async () => {
  await updateFolder({ folder: client, baseUrl, platform: "typescript" });
  // As `npm install` does, but without a network.
  await symlink(join(root, "node_modules"), join(client, "node_modules"));
  const release = await readTree(client);
  const next = join(dataDir, "clients/typescript/9.0.0");
  await cp(client, next, {
    recursive: true,
    filter: (path) => !/node_modules|\.realmwire-release\.json/.test(path),
  });
  await writeFile(join(next, "clients/updater/main.ts"), 'console.log("the new one");\n');
  await publishFiles({ baseUrl, dataDir }, "9.0.0", { "docs/new.txt": "new" }, "typescript");
  const program = "clients/updater/main.ts";
  const check = await runUpdater(["--check", "--json"], { program, cwd: client });
  expect(check).toMatchObject({ code: 3, stderr: "" });
  expect(JSON.parse(check.stdout)).toMatchObject({
    version: "9.0.0",
    added: ["docs/new.txt"],
    changed: ["clients/updater/main.ts"],
    removed: [],
  });
  const update = await runUpdater([], { program, cwd: client });
  expect(update.code).toBe(0);
  expect(update.stdout).toContain(`typescript 9.0.0 is in ${client} now`);
  expect(update.stdout).toContain(`cd "${client}"`);
  const { node_modules: packages, ...tree } = await readTree(client);
  expect(packages).toBe(release["node_modules"]);
  expect(tree).toEqual(await readTree(next));
  expect((await runUpdater([], { program, cwd: client })).stdout).toBe("the new one\n");
});

test("[PY-2] the SDK as a release names all packages that it imports", async () => {
  const folder = join(dataDir, "clients/typescript");
  const [version = ""] = (await readdir(folder)).toSorted();
  const files = await readdir(join(folder, version), { recursive: true, withFileTypes: true });
  const imported = new Set<string>();
  for (const { name, parentPath } of files.filter((entry) => entry.isFile())) {
    if (!name.endsWith(".ts")) continue;
    const text = await readFile(join(parentPath, name), "utf8");
    for (const [, from = ""] of text.matchAll(/^(?:import|export|\}) .*?from "([^".][^"]*)";$/gm)) {
      if (!from.startsWith("node:")) imported.add(from.split("/", 2).join("/"));
    }
  }
  const text = await readFile(join(folder, version, "package.json"), "utf8");
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  expect(Object.keys(dependencies)).toEqual([...imported].toSorted());
  for (const pinned of Object.values(dependencies)) expect(pinned).toMatch(/^\d+\.\d+\.\d+$/);
});
