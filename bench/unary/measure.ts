import { join, resolve } from "node:path";
import type { DataFolders } from "../run/data-folders.ts";
import type { Processes } from "../run/processes.ts";
import { ON_TIME_PERIODS } from "../results.ts";
import { TICK_MS } from "../world/rules.ts";
import type {
  AloneResult,
  DatabaseChoice,
  StretchResult,
  TickMoment,
  UnaryOrder,
  UnaryReady,
  UnaryReport,
  UnarySettings,
} from "./order.ts";
import { STRETCHES } from "./stretches.ts";

/** Players who walk about while calls are made, and others in view of each on average. */
const WALKERS = 50;
const NEIGHBOURS = 30;
/** How long a process may take beyond what it measures, in milliseconds. */
const SPARE_MS = 90_000;

const folder = resolve(import.meta.dirname);

/** The ticks of a stretch, by the server's own clock. Times in milliseconds. */
export interface Ticks {
  readonly count: number;
  /** The time from one tick to the next. */
  readonly p99: number;
  readonly longest: number;
  /** Ticks that came more than 1.5 periods after the one before. */
  readonly late: number;
  /** Those that would have been late even if the ticking thread had never waited for a core: the server's own doing. */
  readonly lateByItself: number;
}

/** A stretch with its ticks. */
export interface LoadedStretch extends StretchResult {
  readonly ticks: Ticks;
}

/** What was measured on one database. */
export interface UnaryResults {
  readonly database: DatabaseChoice["kind"];
  readonly stretches: readonly LoadedStretch[];
  readonly alone: readonly AloneResult[];
}

/** What {@link measureUnary} needs. */
export interface UnaryOptions {
  readonly processes: Processes;
  readonly folders: DataFolders;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where CPU profiles of the server go; undefined: none are taken. */
  readonly profileDir: string | undefined;
}

/** Loads every call on a server with this database, then lets the database do the same alone. Rejects when a call fails. */
export async function measureUnary(
  options: UnaryOptions,
  database: DatabaseChoice,
  aloneDatabase: DatabaseChoice,
): Promise<UnaryResults> {
  const stretches = await loadServer(options, database);
  const alone = await letAlone(options, aloneDatabase);
  return { database: database.kind, stretches, alone };
}

async function loadServer(
  options: UnaryOptions,
  database: DatabaseChoice,
): Promise<LoadedStretch[]> {
  const { processes, folders, seconds, warmUpSeconds, profileDir } = options;
  const settings = await settingsOf(options, database);
  const server = processes.start({
    role: "server",
    file: join(folder, "server.ts"),
    nodeFlags: [
      "--expose-gc",
      ...(profileDir === undefined
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${database.kind}`]),
    ],
    argument: JSON.stringify(settings),
  });
  try {
    const { walkers, ...people } = await server.next<UnaryReady>(SPARE_MS);
    const walk = {
      kind: "world" as const,
      protocol: "connect" as const,
      pid: server.pid,
      dataDir: settings.dataDir,
      port: people.port,
      credentials: walkers,
      players: WALKERS,
      neighbours: NEIGHBOURS,
      seesAll: false,
      echoes: false,
      warmUpSeconds,
      phases: [],
    };
    const order: UnaryOrder = { ...people, walk, stretches: STRETCHES, seconds };
    const results = await load(processes, order);
    const moments = server.next<TickMoment[]>(SPARE_MS);
    server.send({});
    const ticks = await moments;
    return results.map((stretch) => ({ ...stretch, ticks: summarize(ticks, stretch) }));
  } finally {
    await server.stop();
    await folders.give(settings.dataDir);
  }
}

async function load(processes: Processes, order: UnaryOrder): Promise<readonly StretchResult[]> {
  const generator = processes.start({ role: "load", file: join(folder, "load.ts") });
  try {
    generator.send(order);
    const { stretches, seconds, walk } = order;
    const ms = (stretches.length * seconds * 2 + walk.warmUpSeconds) * 1000;
    const report = await generator.next<UnaryReport>(ms + SPARE_MS);
    if (report.kind === "failed") throw new Error(report.reason);
    return report.stretches;
  } finally {
    await generator.stop();
  }
}

async function letAlone(options: UnaryOptions, database: DatabaseChoice): Promise<AloneResult[]> {
  const settings = await settingsOf(options, database);
  const child = options.processes.start({
    role: "server",
    file: join(folder, "alone.ts"),
    argument: JSON.stringify(settings),
  });
  try {
    return await child.next<AloneResult[]>(SPARE_MS + options.seconds * STRETCHES.length * 2_000);
  } finally {
    await child.stop();
    await options.folders.give(settings.dataDir);
  }
}

async function settingsOf(
  { folders, seconds }: UnaryOptions,
  database: DatabaseChoice,
): Promise<UnarySettings> {
  const dataDir = await folders.takeEmpty();
  return { database, dataDir, walkers: WALKERS, neighbours: NEIGHBOURS, seconds };
}

/** The intervals of ticks that end within a stretch. */
export function summarize(
  ticks: readonly TickMoment[],
  { begun, ended }: Pick<StretchResult, "begun" | "ended">,
): Ticks {
  const limit = ON_TIME_PERIODS * TICK_MS;
  const intervals: number[] = [];
  let lateByItself = 0;
  for (const [i, { at, waitedMs }] of ticks.entries()) {
    const before = ticks[i - 1];
    if (!before || at < begun || at > ended) continue;
    const interval = at - before.at;
    intervals.push(interval);
    if (interval <= limit) continue;
    // Where nobody tells how long it waited, it waited not at all.
    const waited = waitedMs - before.waitedMs || 0;
    if (interval - waited > limit) lateByItself++;
  }
  intervals.sort((a, b) => a - b);
  return {
    count: intervals.length,
    p99: intervals[Math.floor(intervals.length * 0.99)] ?? Number.NaN,
    longest: intervals.at(-1) ?? Number.NaN,
    late: intervals.filter((interval) => interval > limit).length,
    lateByItself,
  };
}
