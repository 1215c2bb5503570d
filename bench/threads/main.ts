// What `--threads` gives: `npm run bench:threads`. A plain with players beside two forests in which much is
// computed, on one core and on two, with and without threads. docs/performance.md says how to read it.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readCpuTime } from "../load/server-usage.ts";
import type { ThreadsOrder, ThreadsReady } from "./order.ts";
import { startWalkers } from "./walkers.ts";
import type { Measured } from "./walkers.ts";

const PLAYERS = 30;
const WARM_UP_MS = 5_000;
const MEASURED_MS = 12_000;
const LOAD_CORE = "1";
/** How often each is measured; the medians are told. */
const ROUNDS = Number(process.argv[2] ?? 3);

/** What is compared: cores of the server, threads, and whether the forests compute much. */
const RUNS = [
  { cores: "0", threads: 0, heavy: false },
  { cores: "0", threads: 3, heavy: false },
  { cores: "0", threads: 0, heavy: true },
  { cores: "0", threads: 3, heavy: true },
  { cores: "0,1", threads: 0, heavy: true },
  { cores: "0,1", threads: 3, heavy: true },
] as const;
type Run = (typeof RUNS)[number];

const COLUMNS = [
  "cores",
  "threads",
  "forests compute",
  "speed of the plain's time, %",
  "of the forests', %",
  "interval of updates in the plain, p50, ms",
  "p99",
  "Move there, p50, ms",
  "p99",
  "main thread, % of a core",
  "server",
  "main thread waited for a core",
  "load",
];

const children = new Set<ChildProcess>();
const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** Figures in the order of the columns. */
type Figures = readonly number[];

async function measure({ cores, threads, heavy }: Run): Promise<Figures> {
  const dataDir = await mkdtemp(join(tmpdir(), "realmwire-threads-"));
  const order: ThreadsOrder = { threads, heavy, players: PLAYERS, dataDir };
  const args = [process.execPath, join(import.meta.dirname, "server.ts"), JSON.stringify(order)];
  const child = spawn("taskset", ["-c", cores, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.add(child);
  try {
    const [ready] = (await once(child, "message")) as [ThreadsReady];
    const walkers = await startWalkers(`http://127.0.0.1:${ready.port}`, PLAYERS);
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
    walkers.reset();
    const began = performance.now();
    const server = readCpuTime(child.pid ?? 0);
    const waited = readWaiting(child.pid ?? 0);
    const own = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
    const elapsedMs = performance.now() - began;
    const { plain, forests } = walkers;
    walkers.stop();
    const after = readCpuTime(child.pid ?? 0);
    const used = process.cpuUsage(own);
    const percent = (micros: number) => micros / (elapsedMs * 10);
    return [
      speedOf(plain),
      speedOf(forests),
      quantile(plain.intervals, 0.5),
      quantile(plain.intervals, 0.99),
      quantile(plain.moves, 0.5),
      quantile(plain.moves, 0.99),
      percent(after.main - server.main),
      percent(after.total - server.total),
      percent(readWaiting(child.pid ?? 0) - waited),
      percent(used.user + used.system),
    ];
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    children.delete(child);
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** How long the main thread of a process has waited for a core, in microseconds: so much of the figures is the machine's. */
function readWaiting(pid: number): number {
  const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "latin1").split(" ");
  return Number(waited) / 1000;
}

/** How fast a zone's time ran, in percent of ten ticks a second. */
function speedOf({ ticks, elapsedMs }: Measured): number {
  return (ticks / elapsedMs) * 10_000;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}

function rowOf({ cores, threads, heavy }: Run, rounds: readonly Figures[]): string {
  const medians = (rounds[0] ?? []).map((_, column) =>
    quantile(
      rounds.map((figures) => figures[column] ?? Number.NaN),
      0.5,
    ),
  );
  const told = medians.map((value) => (value < 10 ? value.toFixed(1) : String(Math.round(value))));
  const setting = [cores.length > 1 ? "2" : "1", String(threads), heavy ? "much" : "little"];
  return `| ${[...setting, ...told].join(" | ")} |`;
}

async function main(): Promise<void> {
  if (availableParallelism() < 2) throw new Error("this compares one core with two");
  execFileSync("taskset", ["-cp", LOAD_CORE, String(process.pid)], { stdio: "ignore" });
  const results = new Map<Run, Figures[]>(RUNS.map((run) => [run, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [run, figures] of results) {
      tell(`${run.threads} threads on cores ${run.cores}, round ${round} …`);
      figures.push(await measure(run));
    }
  }
  process.stdout.write(
    [
      `| ${COLUMNS.join(" | ")} |`,
      `|${"---|".repeat(COLUMNS.length)}`,
      ...[...results].map(([run, figures]) => rowOf(run, figures)),
      "",
    ].join("\n"),
  );
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill("SIGKILL");
    process.exit(1);
  });
}
main().then(
  () => process.exit(0),
  (error: unknown) => {
    for (const child of children) child.kill("SIGKILL");
    process.stderr.write(`bench:threads: ${String(error)}\n`);
    process.exit(1);
  },
);
