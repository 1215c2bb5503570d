import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { CHILD_ENV } from "./child-env.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import { DEV_PASSWORD, root } from "./server.ts";

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of a server's log in JSON. */
export type LogRecord = Readonly<Record<string, unknown>> & { readonly msg: string };

/** `node server/main.ts` as a process of its own, as people run it. */
export interface ChildServer {
  readonly pid: number;
  /** Resolves when it is ready; rejects with what it wrote when it ends before. */
  ready(): Promise<{ readonly port: number; readonly baseUrl: string }>;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended and all of its output was read. */
  ended(): Promise<Ended>;
  /** What it wrote so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its log, as far as it is JSON. */
  readonly log: readonly LogRecord[];
  /** Ends it, if need be the hard way. */
  dispose(): Promise<void>;
}

/**
 * Runs `server/main.ts`. Of this process's environment it sees the path only, so that settings do not leak in. `within` is a
 * command before its own, such as one that enters a namespace and then becomes it.
 */
export function runServer(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  within: readonly string[] = [],
): ChildServer {
  const command = [...within, process.execPath, ...NODE_FLAGS, "server/main.ts", ...args];
  const child: ChildProcess = spawn(command[0] ?? "", command.slice(1), {
    cwd: root,
    env: { ...CHILD_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal }));
  const written = new EventEmitter();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    written.emit("text");
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));

  const records = () =>
    stdout
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogRecord);
  const readyLine = () => records().find(({ msg }) => msg.startsWith("ready:"));

  return {
    pid: child.pid ?? 0,
    async ready() {
      const over = ended.then(({ code, signal }) => {
        throw new Error(`the server ended (${code ?? signal}): ${stderr}${stdout}`);
      });
      over.catch(() => {});
      let line = readyLine();
      while (line === undefined) {
        await Promise.race([once(written, "text"), over]);
        line = readyLine();
      }
      const port = Number(line["port"]);
      const scheme = line.msg.includes("https://") ? "https" : "http";
      return { port, baseUrl: `${scheme}://127.0.0.1:${port}` };
    },
    signal: (name) => void child.kill(name),
    ended: () => ended,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    get log() {
      return records();
    },
    async dispose() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The arguments of a server on a data folder, at a free port. Its ready-made accounts have {@link DEV_PASSWORD}. */
export function serverArgs(data: string, ...more: readonly string[]): string[] {
  const password = ["--dev-password", DEV_PASSWORD];
  return ["--host", "127.0.0.1", "--port", "0", "--data", data, ...password, ...more];
}
