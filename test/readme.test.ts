import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChildServer, runServer, serverArgs } from "./support/child-server.ts";
import { isInstalled, requireOrSkip } from "./support/require.ts";
import { DEV_PASSWORD, root, startTestServer } from "./support/server.ts";
import type { TestServer } from "./support/server.ts";

/** A command of a transcript and what it is to print; `…` in a line stands for anything, and as a line for any lines. */
interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

const MARK = "--- next ---";
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

/** The fenced blocks of a language, in order. */
function blocks(language: string, text: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, text = ""]) => text,
  );
}

function steps(transcript: string): Step[] {
  const found: { command: string; expected: string[] }[] = [];
  for (const line of transcript.trimEnd().split("\n")) {
    const last = found.at(-1);
    if (line.startsWith("$ ")) found.push({ command: line.slice(2), expected: [] });
    else if (line.startsWith("> ") && last) last.command += `\n${line.slice(2)}`;
    else last?.expected.push(line);
  }
  return found;
}

/** Runs commands in one shell, as somebody would who copies them, and gives what each printed, and all complaints. */
async function runInShell(
  commands: readonly string[],
  { port, env = {} }: { readonly port: number; readonly env?: NodeJS.ProcessEnv },
): Promise<{ printed: string[]; complaints: string }> {
  const script = commands.map((command) => `${command}\necho '${MARK}'`).join("\n");
  const local = script.replaceAll("localhost:8080", `127.0.0.1:${port}`);
  const child = spawn("bash", ["-c", `set -o pipefail\n${local}`], {
    cwd: root,
    env: {
      ...process.env,
      PASSWORD: DEV_PASSWORD,
      // What is for the terminal client to find by itself.
      REALMWIRE_URL: server.baseUrl,
      XDG_STATE_HOME: join(server.dataDir, "state"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return { printed: output.split(`${MARK}\n`), complaints };
}

/** Whether printed lines are the expected ones: a line `…` stands for any number of lines, `…` within one for any text. */
function matches(printed: readonly string[], expected: readonly string[]): boolean {
  const [pattern, ...rest] = expected;
  if (pattern === undefined) return printed.every((line) => line.trim() === "");
  if (pattern.trim() === "…") {
    return printed.some((_, i) => matches(printed.slice(i), rest)) || matches([], rest);
  }
  const [line, ...others] = printed;
  if (line === undefined) return false;
  return fits(line, pattern) && matches(others, rest);
}

function fits(line: string, pattern: string): boolean {
  const literal = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${literal.replaceAll("…", ".*")}$`).test(line);
}

test("the matcher tells transcripts apart", () => {
  expect(matches(["{", '  "a": 1', "}"], ["{", "  …", "}"])).toBe(true);
  expect(matches(["{", '  "a": 1,', '  "b": 2', "}"], ["{", '  "a": …', '  "b": 2', "}"])).toBe(
    true,
  );
  expect(matches(["{", '  "a": 1', "}"], ["{", '  "b": …', "}"])).toBe(false);
  expect(matches(["{"], ["{", "}"])).toBe(false);
  expect(matches(["at 1.5 (now)"], ["at … (now)"])).toBe(true);
  expect(matches(["at 1.5 (now)"], ["at … (then)"])).toBe(false);
});

/** Runs the commands of transcripts, and fails at the first one that prints something else. */
async function expectTranscripts(all: readonly Step[], port: number): Promise<void> {
  const { printed, complaints } = await runInShell(
    all.map(({ command }) => command),
    { port },
  );
  for (const [i, { command, expected }] of all.entries()) {
    const lines = (printed[i] ?? "").split("\n");
    if (!matches(lines, expected)) {
      const [is, should] = [lines.join("\n"), expected.join("\n")];
      expect.fail(`${command}\nprinted\n${is}\nbut README.md says\n${should}\n\n${complaints}`);
    }
  }
}

test("the transcripts in README.md are what the server answers", async (context) => {
  requireOrSkip(context, await isInstalled("grpcurl"), "grpcurl");
  const all = blocks("console", readme.replace(tlsSection(), "")).flatMap(steps);
  expect(all.length).toBeGreaterThan(12);
  await expectTranscripts(all, server.port);
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
    await expectTranscripts(transcript, port);
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
async function expectClientRuns(
  baseUrl: string,
  shell: Parameters<typeof runInShell>[1],
): Promise<void> {
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
