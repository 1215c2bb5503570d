import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Neighbours } from "../world/scenario.ts";

/** The file in the data folder that tells what the heap holds: the answer of `process.memoryUsage`. */
export const HEAP_FILE = "heap.json";

/** What a candidate's process is told, as its only argument in JSON. */
export interface ServerSettings {
  readonly candidate: string;
  readonly players: number;
  readonly neighbours: Neighbours;
  /** A folder of its own, which is deleted afterwards; what was prepared lies in it. */
  readonly dataDir: string;
}

/** What a candidate's process says when it can be called. */
export interface ServerReady {
  readonly port: number;
  /** What each player says to be let in, by player. */
  readonly credentials: readonly string[];
}

/** Reads the settings of this process. */
export function readSettings(): ServerSettings {
  return JSON.parse(process.argv[2] ?? "{}") as ServerSettings;
}

/**
 * Tells the parent that the server runs, and keeps to what the parent may ask: SIGUSR2 collects garbage and writes
 * down what the heap holds, so that memory can be compared; SIGTERM and the parent's end stop the process.
 */
export function announce(ready: object, close: () => Promise<void> = async () => {}): void {
  const { dataDir } = readSettings();
  let closing = false;
  const stop = () => {
    if (closing) return;
    closing = true;
    void close().finally(() => process.exit(0));
  };
  process.on("SIGUSR2", () => {
    globalThis.gc?.();
    writeFileSync(join(dataDir, HEAP_FILE), JSON.stringify(process.memoryUsage()));
  });
  process.on("SIGTERM", stop);
  process.on("disconnect", stop);
  process.send?.(ready);
}

/** The credentials of servers that let everybody in who says which player it is. */
export function plainCredentials(players: number): string[] {
  return Array.from({ length: players }, (_, player) => String(player));
}
