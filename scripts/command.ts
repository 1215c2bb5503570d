import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

/** What came of a check. */
export type CheckResult =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly output: string }
  | { readonly kind: "skipped"; readonly reason: string };

/** What came of a command. */
export interface CommandResult {
  /** Null when it did not end by itself. */
  readonly exitCode: number | null;
  /** What it wrote, standard output and standard error as they came. */
  readonly output: string;
}

/** The longest that a command may take. All of them together take some seconds. */
const COMMAND_TIMEOUT_MS = 5 * 60_000;

/** The project's folder. */
export const root = join(import.meta.dirname, "..");

/** Runs a command of `node_modules/.bin` or of the machine in a folder. Rejects when there is no such command. */
export function run(
  command: string,
  args: readonly string[],
  folder: string = root,
): Promise<CommandResult> {
  const bin = join(root, "node_modules", ".bin");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: COMMAND_TIMEOUT_MS,
      // npm puts `.cmd` files into its folder there, which only a shell starts.
      shell: process.platform === "win32",
    });
    let output = "";
    const keep = (chunk: string) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** Runs a command that checks something: passed when it exits with 0. */
export async function runCheck(
  command: string,
  args: readonly string[],
  folder: string = root,
): Promise<CheckResult> {
  const { exitCode, output } = await run(command, args, folder);
  if (exitCode === 0) return { kind: "passed" };
  const ending = exitCode === null ? "did not end in time" : `exited with ${exitCode}`;
  return { kind: "failed", output: output || `${command} ${ending} and said nothing` };
}
