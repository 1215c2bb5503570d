import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChildServer, runServer, serverArgs } from "./support/child-server.ts";
import { isInstalled, requireOrSkip } from "./support/require.ts";
import { root, startTestServer } from "./support/server.ts";
import type { TestServer } from "./support/server.ts";
import {
  blocks,
  expectTranscripts,
  matches,
  runInShell,
  type Shell,
  steps,
} from "./support/transcript.ts";

let server: TestServer;
let readme: string;

beforeAll(async () => {
  readme = await readFile(join(root, "README.md"), "utf8");
  server = await startTestServer();
});

afterAll(() => server.dispose());

/** The section about TLS, which needs a server of its own. */
function tlsSection(): string {
  const [section] = /^### TLS\n[^]*?(?=^##)/m.exec(readme) ?? [];
  if (section === undefined) throw new Error("README.md has no section about TLS");
  return section;
}

test("the matcher tells transcripts apart", () => {
  expect(matches(["{", '  "a": 1', "}"], ["{", "  …", "}"])).toBe(true);
  expect(matches(["{", '  "a": 1,', '  "b": 2', "}"], ["{", '  "a": …', '  "b": 2', "}"])).toBe(
    true,
  );
  expect(matches(["{", '  "a": 1', "}"], ["{", '  "b": …', "}"])).toBe(false);
  expect(matches(["{"], ["{", "}"])).toBe(false);
  expect(matches(["at 12:03 (1 s)"], ["at … (1 s)"])).toBe(true);
  expect(matches(["at 12:03 (2 s)"], ["at … (1 s)"])).toBe(false);
});

test("the transcripts in README.md are what the server answers", async (context) => {
  requireOrSkip(context, await isInstalled("grpcurl"), "grpcurl");
  const all = blocks("console", readme.replace(tlsSection(), "")).flatMap(steps);
  expect(all.length).toBeGreaterThan(12);
  await expectTranscripts(all, {
    port: server.port,
    // What is for the terminal client to find by itself.
    env: { REALMWIRE_URL: server.baseUrl, XDG_STATE_HOME: join(server.dataDir, "state") },
  });
}, 120_000);

test("what README.md says about TLS works as it stands there", async (context) => {
  for (const program of ["grpcurl", "curl"]) {
    requireOrSkip(context, await isInstalled(program), program);
  }
  const folder = await mkdtemp(join(tmpdir(), "realmwire-"));
  const inFolder = (text: string) => text.replaceAll("data/tls", join(folder, "tls"));
  const [make = "", start = ""] = blocks("sh", tlsSection()).flatMap((block) => block.split("\n"));
  let secured: ChildServer | undefined;
  try {
    const { printed } = await runInShell([`${make} -- --dir ${inFolder("data/tls")}`], { port: 0 });
    expect(printed.join("")).toContain(inFolder(start));
    const args = inFolder(start).split(" ").slice("npm start --".split(" ").length);
    secured = runServer(serverArgs(join(folder, "data"), ...args));
    const { port, baseUrl } = await secured.ready();
    const transcript = blocks("console", inFolder(tlsSection())).flatMap(steps);
    expect(transcript).toHaveLength(3);
    await expectTranscripts(transcript, { port });
    const [, variable = "", file = ""] =
      /`(\w+)=(\S+) node walk\.ts`/.exec(inFolder(tlsSection())) ?? [];
    await expectClientRuns(baseUrl, { port, env: { [variable]: file } });
  } finally {
    await secured?.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

test("the client in README.md runs", async () => {
  await expectClientRuns(server.baseUrl, server);
});

/** Runs the client in README.md against a server. */
async function expectClientRuns(baseUrl: string, shell: Shell): Promise<void> {
  const [client = ""] = blocks("ts", readme);
  const file = join(root, `readme-${process.pid}.ts`);
  await writeFile(file, client.replaceAll("http://localhost:8080", baseUrl));
  try {
    const { printed, complaints } = await runInShell([`node ${file}`], shell);
    expect(printed.join("")).toContain("well { ");
    expect(complaints).toBe("");
  } finally {
    await rm(file);
  }
}

test("the commands in README.md are the package's scripts", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const commands = blocks("sh", readme).flatMap((block) => block.trim().split("\n"));
  const names = commands.map((command) => /^npm (?:run )?([\w-]+)(?: |$)/.exec(command)?.[1]);
  expect(names).toEqual(["start", "test", "cli", "dev-cert", "start"]);
  for (const name of names) expect(scripts).toHaveProperty([name ?? ""]);
});
