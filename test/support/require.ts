import { execFile } from "node:child_process";
import type { TestContext } from "vitest";

/**
 * Skips a test, loudly, when something that it needs is not on this machine. With `REALMWIRE_REQUIRE_ALL=1`, as in CI,
 * it fails instead: what is skipped everywhere is tested nowhere.
 */
export function requireOrSkip(context: TestContext, condition: boolean, what: string): void {
  if (condition) return;
  if (process.env["REALMWIRE_REQUIRE_ALL"] === "1") {
    throw new Error(`${what} is needed (REALMWIRE_REQUIRE_ALL=1)`);
  }
  process.stderr.write(`SKIPPED: ${context.task.name}: ${what} is needed\n`);
  context.skip(`${what} is needed`);
}

/** Whether a program is on the path. */
export function isInstalled(program: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", 'command -v "$0"', program], (error) => resolve(error === null));
  });
}
