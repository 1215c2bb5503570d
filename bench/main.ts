// The benchmark: `npm run bench`. What it does is told by `--help` and by docs/performance.md.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, basename, extname, resolve } from "node:path";
import { pickCandidates } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import { checkBaseline, updateBaseline } from "./check/run.ts";
import { reportCosts } from "./cost/report.ts";
import { readOptions } from "./options.ts";
import type { BenchOptions } from "./options.ts";
import { AIM_NEIGHBOURS } from "./report/aims.ts";
import { drawChart } from "./report/chart.ts";
import { writeReport } from "./report/markdown.ts";
import type { Results } from "./results.ts";
import { createDataFolders } from "./run/data-folders.ts";
import { installPeers } from "./run/install.ts";
import { describeMachine, listVersions } from "./run/machine.ts";
import { createProcesses, findPinning } from "./run/processes.ts";
import type { Bench } from "./run/run-order.ts";
import { searchCapacities } from "./run/search.ts";
import { sweepCalls, sweepWorlds } from "./run/sweep.ts";
import type { SweepOptions } from "./run/sweep.ts";
import { runUnary } from "./unary/run.ts";

/** After so long no run is begun any more: the quick form is to end within two minutes. */
const QUICK_LIMIT_MS = 105_000;
const FULL_LIMIT_MS = 4 * 3_600_000;
/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/** In the full form, how many times as often calls alone are measured as worlds: they are short, and vary more. */
const CALL_ROUNDS = 3;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const pinning = findPinning();
  const processes = createProcesses(pinning);
  const folders = createDataFolders(processes);
  const ends = new Set<() => Promise<void>>();
  const cleanUp = async () => {
    processes.killAll();
    await Promise.allSettled([...ends].map((end) => end()));
    folders.deleteAll();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(INTERRUPTED)));
  }
  const machine = describeMachine(pinning);
  const profileDir = options.profile === undefined ? undefined : resolve(options.profile);
  const bench = { processes, folders, profileDir, warmUpSeconds: options.warmUpSeconds };
  try {
    switch (options.kind) {
      case "peers":
        await comparePeers(options, machine, bench);
        break;
      case "unary":
        await write(options.out, await runUnary({ ...options, ...bench, machine, tell, ends }));
        break;
      case "cost":
        await write(options.out, `# Benchmark\n\n${machine}.\n\n${reportCosts()}\n`);
        break;
      case "check":
        if (options.updateBaseline) await updateBaseline(bench, tell);
        else if (!(await checkBaseline(bench, tell))) process.exitCode = 1;
        break;
    }
  } finally {
    await cleanUp();
  }
}

async function comparePeers(options: BenchOptions, machine: string, bench: Bench): Promise<void> {
  const candidates = pickCandidates(options.candidates);
  const callers = pickCandidates(options.callers);
  const searched = pickCandidates(options.searched);
  installPeers([...candidates, ...callers, ...searched], tell);
  const results = await measureAll(options, callers, searched, {
    bench,
    candidates,
    rounds: options.rounds,
    seconds: options.seconds,
    tell,
    deadline: performance.now() + (options.quick ? QUICK_LIMIT_MS : FULL_LIMIT_MS),
  });
  const costs = options.quick ? undefined : reportCosts();
  await publish(options, machine, results, costs);
}

async function measureAll(
  options: BenchOptions,
  callers: readonly Candidate[],
  searched: readonly Candidate[],
  sweep: SweepOptions,
): Promise<Results> {
  const sizes = options.neighbours.flatMap((neighbours) =>
    options.players.map((players) => ({ players, neighbours })),
  );
  const callRounds = options.quick ? sweep.rounds : sweep.rounds * CALL_ROUNDS;
  const calls = await sweepCalls({ ...sweep, candidates: callers, rounds: callRounds });
  const worlds = await sweepWorlds(sweep, sizes);
  const density = options.neighbours.includes(AIM_NEIGHBOURS)
    ? AIM_NEIGHBOURS
    : (options.neighbours[0] ?? AIM_NEIGHBOURS);
  const capacities = await searchCapacities(
    { ...sweep, candidates: searched },
    density,
    worlds.cells,
  );
  return {
    worlds: worlds.cells,
    calls: calls.cells,
    capacities,
    leftOut: calls.leftOut + worlds.leftOut,
  };
}

async function publish(
  options: BenchOptions,
  machine: string,
  results: Results,
  costs: string | undefined,
): Promise<void> {
  const { out, rounds, seconds } = options;
  const chart = out === undefined ? undefined : drawChart(results);
  const chartFile = out === undefined ? "" : `${basename(out, extname(out))}.svg`;
  const report = writeReport(
    {
      date: new Date().toISOString().slice(0, 10),
      machine,
      versions: listVersions(),
      rounds,
      seconds,
      chart: chart === undefined ? undefined : chartFile,
    },
    results,
  );
  await write(out, costs === undefined ? report : `${report}\n${costs}\n`);
  if (out !== undefined && chart !== undefined) {
    await writeFile(resolve(dirname(out), chartFile), chart);
  }
}

/** Writes a report into a file, or to standard output when there is none. */
async function write(out: string | undefined, report: string): Promise<void> {
  if (out === undefined) {
    process.stdout.write(report);
    return;
  }
  await mkdir(dirname(resolve(out)), { recursive: true });
  await writeFile(out, report);
  tell(`The report is in ${out}.`);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
