import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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

/** The fenced blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(
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
): Promise<{ printed: string[]; complaints: string }> {
  const script = commands.map((command) => `${command}\necho '${MARK}'`).join("\n");
  const local = script.replaceAll("localhost:8080", `127.0.0.1:${server.port}`);
  const child = spawn("bash", ["-c", `set -o pipefail\n${local}`], {
    cwd: root,
    env: {
      ...process.env,
      PASSWORD: DEV_PASSWORD,
      // What is for the terminal client to find by itself.
      REALMWIRE_URL: server.baseUrl,
      XDG_STATE_HOME: join(server.dataDir, "state"),
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

test("the transcripts in README.md are what the server answers", async (context) => {
  requireOrSkip(context, await isInstalled("grpcurl"), "grpcurl");
  const all = blocks("console").flatMap(steps);
  expect(all.length).toBeGreaterThan(12);
  const { printed, complaints } = await runInShell(all.map(({ command }) => command));
  for (const [i, { command, expected }] of all.entries()) {
    const lines = (printed[i] ?? "").split("\n");
    if (!matches(lines, expected)) {
      const [is, should] = [lines.join("\n"), expected.join("\n")];
      expect.fail(`${command}\nprinted\n${is}\nbut README.md says\n${should}\n\n${complaints}`);
    }
  }
}, 120_000);

test("the client in README.md runs", async () => {
  const [client = ""] = blocks("ts");
  const file = join(root, `readme-${process.pid}.ts`);
  await writeFile(file, client.replaceAll("localhost:8080", `127.0.0.1:${server.port}`));
  try {
    const { printed, complaints } = await runInShell([`node ${file}`]);
    expect(printed.join("")).toContain("well { ");
    expect(complaints).toBe("");
  } finally {
    await rm(file);
  }
});

test("the commands in README.md are the package's scripts", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const commands = blocks("sh").map((block) => block.trim());
  expect(commands).toEqual(["npm start", "npm test", "npm run cli"]);
  for (const command of commands) {
    expect(scripts).toHaveProperty(command.replace(/^npm (?:run )?/, ""));
  }
});
