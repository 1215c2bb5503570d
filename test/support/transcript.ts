import { spawn } from "node:child_process";
import { expect } from "vitest";
import { DEV_PASSWORD, root } from "./server.ts";

/** A command of a transcript and what it is to print; `…` in a line, or as a line, stands for anything. */
export interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

/** Where commands run. */
export interface Shell {
  /** The server's, which stands for `localhost:8080`. */
  readonly port: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the project's folder. */
  readonly folder?: string;
}

const MARK = "--- next ---";

/** The fenced blocks of a language, in order. */
export function blocks(language: string, text: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, block = ""]) => block,
  );
}

/** The commands of a transcript. */
export function steps(transcript: string): Step[] {
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
export async function runInShell(
  commands: readonly string[],
  { port, env = {}, folder = root }: Shell,
): Promise<{ printed: string[]; complaints: string }> {
  const script = commands.map((command) => `${command}\necho '${MARK}'`).join("\n");
  const local = script.replaceAll("localhost:8080", `127.0.0.1:${port}`);
  const child = spawn("bash", ["-c", `set -o pipefail\n${local}`], {
    cwd: folder,
    env: { ...process.env, PASSWORD: DEV_PASSWORD, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return { printed: output.split(`${MARK}\n`), complaints };
}

/** Whether printed lines are the expected ones: a line `…` stands for any number of lines, `…` in a line for any part of it. */
export function matches(printed: readonly string[], expected: readonly string[]): boolean {
  const [pattern, ...rest] = expected;
  if (pattern === undefined) return printed.every((line) => line.trim() === "");
  if (pattern.trim() === "…") {
    return printed.some((_, i) => matches(printed.slice(i), rest)) || matches([], rest);
  }
  const [line, ...others] = printed;
  return line !== undefined && lineFits(line, pattern) && matches(others, rest);
}

function lineFits(line: string, pattern: string): boolean {
  const parts = pattern.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

/** Runs the commands of transcripts, and fails at the first one that prints something else than `document` says. */
export async function expectTranscripts(
  all: readonly Step[],
  shell: Shell,
  document = "README.md",
): Promise<void> {
  const { printed, complaints } = await runInShell(
    all.map(({ command }) => command),
    shell,
  );
  for (const [i, step] of all.entries()) {
    expectPrinted(step, printed[i] ?? "", document, complaints);
  }
}

/** Fails unless a command printed what `document` says. */
export function expectPrinted(
  { command, expected }: Step,
  printed: string,
  document: string,
  complaints: string,
): void {
  if (matches(printed.split("\n"), expected)) return;
  const should = expected.join("\n");
  expect.fail(`${command}\nprinted\n${printed}\nbut ${document} says\n${should}\n\n${complaints}`);
}
