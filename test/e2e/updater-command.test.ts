import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bytesOf, PLATFORM, publishFiles, readTree } from "../support/client-releases.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { runUpdater } from "../support/update-client.ts";

let server: TestServer;
let work: string;
let url: string[];

beforeAll(async () => {
  server = await startTestServer();
  url = ["--url", server.baseUrl, "--platform", PLATFORM];
  await publishFiles(server, "1.0.0", { "a.txt": "a", "gone.txt": "gone" });
  await publishFiles(server, "2.0.0", { "a.txt": "b", big: bytesOf("big", 40_000_000) });
  work = await mkdtemp(join(tmpdir(), "realmwire-command-"));
});

afterAll(async () => {
  await server.dispose();
  await rm(work, { recursive: true, force: true });
});

test("--help says what there is", async () => {
  const { code, stdout, stderr } = await runUpdater(["--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  for (const option of ["--url", "--platform", "--to", "--from", "--check", "--json"]) {
    expect(stdout).toContain(`  ${option}`);
  }
});

test.each([
  [["--nonsense"], "--nonsense"],
  [["a", "b"], "only one folder"],
  [["--url", "ftp://x", "a"], "must begin with http:// or https://"],
  [["--url"], "--url"],
  [["does-not-exist"], "name the server with --url"],
  [[], "name the client's folder"],
])("called with %j it explains itself", async (args, message) => {
  const { code, stdout, stderr } = await runUpdater(args, { cwd: work });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
  expect(stderr).toContain("--help tells more");
});

test("lines without a terminal, one object with --json, and exit codes", async () => {
  const client = join(work, "client");
  const install = await runUpdater([...url, "--to", "1.0.0", client]);
  expect(install).toMatchObject({
    code: 0,
    stdout: `${PLATFORM} 1.0.0 is in ${client} now: 2 added, 0 changed, 0 removed, 5 B fetched\n`,
  });
  const check = await runUpdater(["--check", client]);
  expect(check).toMatchObject({
    code: 3,
    stdout: [
      `${client} would become ${PLATFORM} 2.0.0 instead of 1.0.0: 1 added, 1 changed, 1 removed, 38.1 MiB to fetch`,
      "added:\n  big\nchanged:\n  a.txt\nremoved:\n  gone.txt\n",
    ].join("\n"),
  });
  const before = await readTree(client);
  const stopped = await runUpdater([client], { interruptAt: "downloading 25 %" });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain("what was fetched is kept");
  expect(await readTree(client)).toEqual(before);
  const update = await runUpdater([client]);
  expect(update).toMatchObject({ code: 0 });
  expect(update.stdout).toContain(`${PLATFORM} 2.0.0 is in ${client} now (it was 1.0.0)`);
  // It went on where it was ended, and tells how far it is about every quarter.
  expect(update.stderr).not.toContain("downloading 0 %");
  expect(update.stderr.trim().split("\n").at(-1)).toBe("installing");
  const again = await runUpdater(["--json", client]);
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(again.stdout)).toMatchObject({ upToDate: true, version: "2.0.0" });
  const wrong = await runUpdater(["--json", "--to", "9.9.9", client]);
  expect(wrong).toMatchObject({ code: 1, stderr: "" });
  expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { kind: "NotFound" } });
  const words = await runUpdater(["--to", "9.9.9", client]);
  expect(words).toMatchObject({ code: 1, stdout: "" });
  expect(words.stderr).toContain("update-client: no such client release");
});

test("npm run update-client is this program", async () => {
  const text = await readFile(join(import.meta.dirname, "../../package.json"), "utf8");
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
  expect(scripts["update-client"]).toBe("exec node clients/updater/main.ts");
});
