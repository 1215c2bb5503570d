import { join, resolve } from "node:path";
import type { Candidate } from "../candidates.ts";
import type { Order, Outcome, Phase, Report } from "../load/order.ts";
import type { ServerReady, ServerSettings } from "../servers/child.ts";
import type { Neighbours } from "../world/scenario.ts";
import type { DataFolders } from "./data-folders.ts";
import type { Processes } from "./processes.ts";

/** How long a server may take to start, and for each player. */
const START_MS = 30_000;
const START_MS_PER_PLAYER = 10;
/** How long a run may take beyond its phases, and for each player that joins. */
const RUN_MS = 40_000;
const RUN_MS_PER_PLAYER = 30;

/**
 * How much longer a server with a database is warmed up: after everybody entered its threads still are busy
 * with what entering left them to do, and with compiling the database, which would be counted as if it went on.
 */
const SETTLING_SECONDS = 3;

const folder = resolve(import.meta.dirname, "..");

/** One run of one candidate. */
export interface Run {
  readonly candidate: Candidate;
  readonly kind: Order["kind"];
  readonly players: number;
  readonly neighbours: Neighbours;
  readonly phases: readonly Phase[];
}

/** What runs are carried out with. */
export interface Bench {
  readonly processes: Processes;
  readonly folders: DataFolders;
  /** Where CPU profiles of the servers go; undefined: none are taken. */
  readonly profileDir: string | undefined;
  /** How long each server is warmed up before anything is measured. */
  readonly warmUpSeconds: number;
}

/** Starts a candidate's server and the generator, lets them run, and stops both. Rejects when anything is not as it must be. */
export async function carryOut(bench: Bench, run: Run): Promise<Outcome> {
  const { processes, folders } = bench;
  const { candidate, players, neighbours } = run;
  const file = join(folder, candidate.entry);
  const settings = { candidate: candidate.name, players, neighbours };
  const dataDir = await folders.take(candidate, file, settings);
  const server = processes.start({
    role: "server",
    file,
    nodeFlags: ["--expose-gc", ...profileFlags(run, bench.profileDir)],
    argument: JSON.stringify({ ...settings, dataDir } satisfies ServerSettings),
  });
  try {
    const ready = await server.next<ServerReady>(START_MS + players * START_MS_PER_PLAYER);
    const warmUpSeconds = bench.warmUpSeconds + (candidate.prepares ? SETTLING_SECONDS : 0);
    return await load(processes, run, { ...ready, warmUpSeconds, pid: server.pid, dataDir });
  } finally {
    await server.stop();
    await folders.give(dataDir);
  }
}

async function load(
  processes: Processes,
  { candidate, kind, players, neighbours, phases }: Run,
  server: ServerReady & Pick<Order, "pid" | "dataDir" | "warmUpSeconds">,
): Promise<Outcome> {
  const { protocol, seesAll } = candidate;
  const echoes = !candidate.world;
  const order: Order = { kind, protocol, seesAll, echoes, players, neighbours, phases, ...server };
  const generator = processes.start({ role: "load", file: join(folder, "load/main.ts") });
  try {
    generator.send(order);
    const phasesMs = phases.reduce(
      (sum, { seconds }) => sum + seconds * 1000,
      order.warmUpSeconds * 1000,
    );
    const report = await generator.next<Report>(phasesMs + RUN_MS + players * RUN_MS_PER_PLAYER);
    if (report.kind === "failed") throw new Error(report.reason);
    return report.outcome;
  } finally {
    await generator.stop();
  }
}

function profileFlags({ candidate, kind }: Run, profileDir: string | undefined): string[] {
  if (profileDir === undefined) return [];
  return [
    "--cpu-prof",
    `--cpu-prof-dir=${profileDir}`,
    `--cpu-prof-name=${candidate.name}-${kind}.cpuprofile`,
  ];
}
