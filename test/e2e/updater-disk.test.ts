import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test, type TestContext } from "vitest";
import { updateFolder } from "../../clients/updater/index.ts";
import { PLATFORM, publishFiles, readTree, RELEASES } from "../support/client-releases.ts";
import { isInstalled, requireOrSkip } from "../support/require.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { runUpdater } from "../support/update-client.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

let server: TestServer;
let trees: Record<keyof typeof RELEASES, Record<string, string>>;
let work: string;
let disk: string;

beforeAll(async () => {
  server = await startTestServer();
  trees = {
    "1.0.0": await readTree(await publishFiles(server, "1.0.0", RELEASES["1.0.0"])),
    "2.0.0": await readTree(await publishFiles(server, "2.0.0", RELEASES["2.0.0"])),
  };
  work = await mkdtemp(join(tmpdir(), "realmwire-disk-"));
});

afterAll(async () => {
  await server.dispose();
  await rm(work, { recursive: true, force: true });
});

beforeEach(async () => {
  disk = await mkdtemp(join(work, "disk-"));
});

async function install(client: string): Promise<void> {
  const { baseUrl } = server;
  await updateFolder({ folder: client, baseUrl, platform: PLATFORM, version: "1.0.0" });
}

/** Runs something with a small disk of its own in the place of `disk`. */
async function onSmallDisk(
  context: TestContext,
  options: string,
  body: () => Promise<void>,
): Promise<void> {
  const mounted = await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]).catch(() => {});
  requireOrSkip(context, mounted !== undefined, "the right to mount a tmpfs");
  try {
    await body();
  } finally {
    await run("umount", ["-l", disk]);
  }
}

test("[PY-2] a disk without room enough is refused before anything is fetched", async (context) => {
  await onSmallDisk(context, "size=1500k", async () => {
    const client = join(disk, "client");
    await install(client);
    const { code, stderr } = await runUpdater(["--url", server.baseUrl, client]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/has \d+ bytes free, and the update needs \d+/);
    expect(stderr).not.toContain("downloading");
    expect(await readTree(client)).toEqual(trees["1.0.0"]);
    expect(await readdir(disk)).toEqual(["client"]);
    await run("mount", ["-o", "remount,size=16m", disk]);
    expect(await runUpdater([client])).toMatchObject({ code: 0 });
    expect(await readTree(client)).toEqual(trees["2.0.0"]);
  });
});

test("[PY-2] a disk that is full in the middle leaves the old client, and what was fetched", async (context) => {
  await onSmallDisk(context, "size=16m,nr_inodes=200", async () => {
    const client = join(disk, "client");
    await install(client);
    // There are bytes enough, and so the update begins, but room for few files besides the updater's own three.
    const { files, ffree } = await statfs(disk);
    await run("mount", ["-o", `remount,nr_inodes=${files - ffree + 5}`, disk]);
    const { code, stdout } = await runUpdater(["--json", client]);
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      {
        error: {
          kind: "disk-full",
          message: expect.stringContaining(`no room is left on the disk of ${client}`) as string,
        },
      },
    ]);
    expect(await readTree(client)).toEqual(trees["1.0.0"]);
    expect((await readdir(join(disk, ".client.update/contents"))).length).toBeGreaterThan(0);
    await run("mount", ["-o", "remount,nr_inodes=200", disk]);
    const again = await runUpdater(["--json", client]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(await readTree(client)).toEqual(trees["2.0.0"]);
    expect(await readdir(disk)).toEqual(["client"]);
  });
});

test("[PY-2] a disk that cannot be written to", async (context) => {
  await onSmallDisk(context, "size=16m", async () => {
    const client = join(disk, "client");
    await install(client);
    await run("mount", ["-o", "remount,ro", disk]);
    const { code, stderr } = await runUpdater([client]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("EROFS")]);
    expect(await runUpdater(["--check", client])).toMatchObject({ code: 3 });
    expect(await readTree(client)).toEqual(trees["1.0.0"]);
  });
});

test("[PY-2] a client in a file system of its own cannot be renamed, and is told so", async (context) => {
  await onSmallDisk(context, "size=16m", async () => {
    await expect(
      updateFolder({ folder: disk, baseUrl: server.baseUrl, platform: PLATFORM }),
    ).rejects.toMatchObject({ failure: "wrong-folder" });
    expect(await readdir(disk)).toEqual([]);
  });
});

test("[PY-2] without the right to write beside the client, it stays as it is", async (context) => {
  const client = join(disk, "client");
  await install(client);
  // To the superuser rights mean nothing, unless that is taken from him.
  const wrapper = isRoot ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  if (isRoot) requireOrSkip(context, await isInstalled("setpriv"), "setpriv");
  await chmod(disk, 0o555);
  const { code, stderr } = await runUpdater([client], { wrapper });
  await chmod(disk, 0o755);
  expect([code, stderr]).toEqual([1, expect.stringContaining("EACCES")]);
  expect(stderr).toContain("the folder above it must be writable");
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  expect(await readdir(disk)).toEqual(["client"]);
});

test("[PY-2] of updaters at once one works, and the others say so", async () => {
  const client = join(disk, "client");
  await install(client);
  const runs = await Promise.all([1, 2, 3].map(() => runUpdater(["--json", client])));
  const results = runs.map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>);
  for (const [i, { code }] of runs.entries()) {
    if (code === 0) expect(results[i]).toMatchObject({ version: "2.0.0" });
    else expect(results[i]).toMatchObject({ error: { kind: "in-use" } });
  }
  // Whoever came late enough found nothing left to do.
  expect(results.filter((result) => result["upToDate"] === false)).toHaveLength(1);
  expect(await readTree(client)).toEqual(trees["2.0.0"]);
  expect(await readdir(disk)).toEqual(["client"]);

  const settled = await Promise.allSettled(
    [1, 2, 3].map(() =>
      updateFolder({ folder: client, baseUrl: server.baseUrl, version: "1.0.0" }),
    ),
  );
  const refused = settled.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(2);
  for (const result of refused) {
    expect(result).toMatchObject({ reason: { failure: "in-use" } });
  }
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
});

test("what is in the way of the updater's own folder is not touched", async () => {
  const client = join(disk, "client");
  await install(client);
  await writeFile(join(disk, ".client.update"), "a file of somebody");
  const update = updateFolder({ folder: client, baseUrl: server.baseUrl });
  await expect(update).rejects.toMatchObject({ failure: "wrong-folder" });
  expect(await readTree(client)).toEqual(trees["1.0.0"]);
  await mkdir(join(disk, "other"));
  await writeFile(join(disk, "other/file"), "");
  const onFile = updateFolder({ folder: join(disk, "other/file"), baseUrl: server.baseUrl });
  await expect(onFile).rejects.toMatchObject({ failure: "wrong-folder" });
});
