import { spawnSync } from "node:child_process";
import { existsSync, statSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Candidate } from "../candidates.ts";

const peers = resolve(import.meta.dirname, "../peers");

/** Installs the packages of the peers that are wanted, as their lockfiles name them. Throws when that fails. */
export function installPeers(candidates: readonly Candidate[], tell: (line: string) => void): void {
  for (const name of new Set(candidates.flatMap((candidate) => candidate.packages ?? []))) {
    const folder = join(peers, name);
    if (!isStale(folder)) continue;
    tell(`Installing the packages of bench/peers/${name} …`);
    // `npm ci` refuses a lockfile that lacks optional packages which some registries do not have.
    const result = runNpm(["install", "--no-audit", "--no-fund", "--loglevel=error"], folder);
    if (result.status !== 0) {
      const why = result.error?.message ?? result.stderr.toString();
      throw new Error(`\`npm install\` failed in bench/peers/${name}: ${why}`);
    }
    const now = new Date();
    utimesSync(join(folder, "node_modules/.package-lock.json"), now, now);
  }
}

function isStale(folder: string): boolean {
  const installed = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(join(folder, "package-lock.json")).mtimeMs;
}

/** Runs the npm that started the benchmark; without one, the npm of the machine. */
function runNpm(args: readonly string[], cwd: string) {
  const cli = process.env["npm_execpath"];
  const [command = "npm", ...rest] =
    cli && /npm-cli\.c?js$/.test(cli) ? [process.execPath, cli, ...args] : ["npm", ...args];
  return spawnSync(command, rest, { cwd, stdio: ["ignore", "ignore", "pipe"] });
}
