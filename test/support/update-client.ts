import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { root } from "./server.ts";

/** How a run of `clients/updater/main.ts` ended. */
export interface UpdaterRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the updater as a process of its own. With `killAfterMs` it is killed then, unless it has ended before. */
export async function runUpdater(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly program?: string;
    readonly nodeArgs?: readonly string[];
    readonly wrapper?: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
    readonly killAfterMs?: number;
    /** Sends SIGINT when the error output has this text in it. */
    readonly interruptAt?: string;
  } = {},
): Promise<UpdaterRun> {
  const { program = join(root, "clients/updater/main.ts"), nodeArgs = [], wrapper = [] } = options;
  const [command = "", ...rest] = [...wrapper, process.execPath, ...nodeArgs, program, ...args];
  const child = spawn(command, rest, {
    cwd: options.cwd ?? root,
    env: { PATH: process.env["PATH"], ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  let isInterrupted = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (isInterrupted || !options.interruptAt || !stderr.includes(options.interruptAt)) return;
    isInterrupted = true;
    child.kill("SIGINT");
  });
  const timer =
    options.killAfterMs === undefined
      ? undefined
      : setTimeout(() => child.kill("SIGKILL"), options.killAfterMs);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code, signal, stdout, stderr };
}
