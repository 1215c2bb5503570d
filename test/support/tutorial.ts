import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expectPrinted, expectTranscripts, type Step, steps } from "./transcript.ts";

/** What a reader of a document does next. */
export type Deed =
  | { readonly kind: "save"; readonly file: string; readonly content: string }
  | { readonly kind: "change"; readonly file: string; readonly diff: string }
  | { readonly kind: "run"; readonly steps: readonly Step[] };

/** A block, and the line in bold in front of it that names its file, if there is one. */
const BLOCK = /(?:^\*\*`([^`\n]+)`\*\*\n\n)?^```(\w+)\n([^]*?)^```$/gm;

/** What a document tells its reader to do, in order: files under their names, changes of files, commands. Those in between which nothing is saved share a shell. */
export function deedsOf(document: string): Deed[] {
  const deeds: Deed[] = [];
  for (const [block, file, language, content = ""] of document.matchAll(BLOCK)) {
    const last = deeds.at(-1);
    if (language === "console") {
      const before = last?.kind === "run" ? last.steps : [];
      if (last?.kind === "run") deeds.pop();
      deeds.push({ kind: "run", steps: [...before, ...steps(content)] });
    } else if (file === undefined) {
      throw new Error(`a block has no name of a file:\n${block}`);
    } else if (language === "diff") {
      deeds.push({ kind: "change", file, diff: content });
    } else {
      deeds.push({ kind: "save", file, content });
    }
  }
  return deeds;
}

/** Text with a change made to it. Throws when the lines that it is about are not there exactly once. */
export function applyDiff(text: string, diff: string): string {
  const lines = diff.trimEnd().split("\n");
  const keep = (sign: string) =>
    lines.filter((line) => !line.startsWith(sign)).map((line) => `${line.slice(1)}\n`);
  const before = keep("+").join("");
  const parts = text.split(before);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} places for\n${before}`);
  return parts.join(keep("-").join(""));
}

/** Does what a reader does, in a folder. Servers run beside, one at a time: a new one begins when the one before has ended. */
export interface Reader {
  do(deed: Deed): Promise<void>;
  dispose(): Promise<void>;
}

/** Creates a reader of a document. Commands that begin with `npm start` are servers; without such, `serverPort` is that of the one that runs. */
export async function createReader(
  folder: string,
  document: string,
  serverPort?: number,
): Promise<Reader> {
  const port = serverPort ?? (await freePort());
  const env = { PORT: String(port), REALMWIRE_LOG_FORMAT: "text", NO_COLOR: "1" };
  let server: ChildProcess | undefined;

  async function stop(): Promise<void> {
    if (server?.pid === undefined || server.exitCode !== null) return;
    const ended = once(server, "close");
    // As Ctrl+C does, to npm and to what it runs.
    process.kill(-server.pid, "SIGINT");
    await ended;
  }

  async function start(step: Step): Promise<void> {
    await stop();
    const child = spawn("bash", ["-c", step.command], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    server = child;
    let printed = "";
    let complaints = "";
    child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
    await new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString().replaceAll(`localhost:${port}`, "localhost:8080");
        if (/ready: .*\n$/.test(printed)) resolve();
      });
    });
    expectPrinted(step, printed, document, complaints);
  }

  /** Types commands into one shell, and servers beside it. */
  async function type([...rest]: readonly Step[]): Promise<void> {
    const until = rest.findIndex(({ command }) => command.startsWith("npm start"));
    const shared = rest.splice(0, until === -1 ? rest.length : until);
    if (shared.length > 0) await expectTranscripts(shared, { port, folder, env }, document);
    const [server, ...after] = rest;
    if (server === undefined) return;
    await start(server);
    await type(after);
  }

  return {
    async do(deed) {
      if (deed.kind === "run") return await type(deed.steps);
      const path = join(folder, deed.file);
      const content =
        deed.kind === "save" ? deed.content : applyDiff(await readFile(path, "utf8"), deed.diff);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content.replaceAll("localhost:8080", `127.0.0.1:${port}`));
    },
    dispose: stop,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
