import { cp, mkdtemp, rm } from "node:fs/promises";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Candidate } from "../candidates.ts";
import type { ServerReady, ServerSettings } from "../servers/child.ts";
import type { Processes } from "./processes.ts";

/** How long preparing may take, and for each player. */
const PREPARE_MS = 60_000;
const PREPARE_MS_PER_PLAYER = 40;

/** The temporary folders of servers. */
export interface DataFolders {
  /** A folder for one run, with the players enrolled in it where the candidate needs that. */
  take(
    candidate: Candidate,
    file: string,
    settings: Omit<ServerSettings, "dataDir">,
  ): Promise<string>;
  /** An empty folder. */
  takeEmpty(): Promise<string>;
  give(folder: string): Promise<void>;
  /** Deletes them all, at once. */
  deleteAll(): void;
}

/** No folders yet. */
export function createDataFolders(processes: Processes): DataFolders {
  const root = mkdtemp(join(tmpdir(), "realmwire-bench-"));
  const prepared = new Map<string, Promise<string>>();
  let path: string | undefined;

  async function make(): Promise<string> {
    path = await root;
    return mkdtemp(join(path, "run-"));
  }

  /** Lets a server make its folder once; every run gets a copy of it. */
  async function prepare(file: string, settings: Omit<ServerSettings, "dataDir">): Promise<string> {
    const dataDir = await make();
    const argument = JSON.stringify({ ...settings, dataDir } satisfies ServerSettings);
    const server = processes.start({ role: "any", file, argument });
    await server.next<ServerReady>(PREPARE_MS + settings.players * PREPARE_MS_PER_PLAYER);
    await server.stop();
    return dataDir;
  }

  return {
    async take({ prepares }, file, settings) {
      const folder = await make();
      if (!prepares) return folder;
      const key = `${settings.players} ${settings.neighbours}`;
      const pristine = prepared.get(key) ?? prepare(file, settings);
      prepared.set(key, pristine);
      await cp(await pristine, folder, { recursive: true });
      return folder;
    },
    takeEmpty: make,
    give: (folder) => rm(folder, { recursive: true, force: true }),
    deleteAll() {
      if (path !== undefined) rmSync(path, { recursive: true, force: true });
    },
  };
}
