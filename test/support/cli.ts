import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHILD_ENV } from "./child-env.ts";
import { root } from "./server.ts";

/** What a run of the terminal client printed, and how it ended. */
export interface CliRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** A user of the terminal client, with a place of their own for sessions. */
export interface CliUser {
  readonly stateDir: string;
  /** Runs one command, or with an input and no words the commands in it. */
  run(words: readonly string[], options?: CliRunOptions): Promise<CliRun>;
  dispose(): Promise<void>;
}

/** What differs between runs. */
export interface CliRunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Creates a user of a server. Of this process's environment they see the path only. */
export async function createCliUser(url: string): Promise<CliUser> {
  const stateDir = await mkdtemp(join(tmpdir(), "realmwire-cli-"));
  return {
    stateDir,
    run: (words, { input = "", env = {} } = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, ["clients/cli/main.ts", ...words], {
          cwd: root,
          env: {
            ...CHILD_ENV,
            XDG_STATE_HOME: stateDir,
            REALMWIRE_URL: url,
            ...env,
          },
        });
        let stdout = "";
        let stderr = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        child.on("error", reject).on("close", (code) => resolve({ stdout, stderr, code }));
        // It may end before it reads.
        child.stdin.on("error", () => {}).end(input);
      }),
    dispose: () => rm(stateDir, { recursive: true, force: true }),
  };
}
