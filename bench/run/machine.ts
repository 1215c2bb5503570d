import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type as system } from "node:os";
import { join, resolve } from "node:path";
import type { Pinning } from "./processes.ts";

const root = resolve(import.meta.dirname, "../..");

/** The machine, in one line. */
export function describeMachine(pinning: Pinning): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const where =
    pinning.kind === "pinned"
      ? `server on core ${pinning.serverCore}, load on core ${pinning.loadCore}`
      : `**not pinned to cores, since ${pinning.why}**`;
  return `${all[0]?.model ?? "unknown processor"}, ${all.length} cores, ${memory}, ${system()} ${release()}, Node ${process.versions.node}; ${where}`;
}

/** The versions of what was compared, as their lockfiles name them. */
export function listVersions(): string[] {
  return [
    ...versionsIn("package-lock.json", ["@connectrpc/connect-node", "@grpc/grpc-js"]),
    ...versionsIn("bench/peers/colyseus/package-lock.json", ["@colyseus/core", "@colyseus/schema"]),
    ...versionsIn("bench/peers/ws/package-lock.json", ["ws"]),
  ];
}

function versionsIn(lockfile: string, names: readonly string[]): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, lockfile), "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  return names.map((name) => `${name} ${packages[`node_modules/${name}`]?.version ?? "?"}`);
}
