import { spawn } from "node:child_process";
import { once } from "node:events";
import { CHILD_ENV } from "./child-env.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import { root } from "./server.ts";

/** What came of a command. */
export interface AdminResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `clients/admin/main.ts` as a process of its own, without a terminal. Of this process's environment it sees the path only. */
export async function runAdmin(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<AdminResult> {
  const child = spawn(process.execPath, [...NODE_FLAGS, "clients/admin/main.ts", ...args], {
    cwd: root,
    env: { ...CHILD_ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Runs a command that is to succeed; what it printed comes back. */
export async function admin(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await runAdmin(args, env);
  if (code !== 0) throw new Error(`admin ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
