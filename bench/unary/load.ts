// The load generator of single calls: a process of its own. Players walk about all the time and their updates are timed;
// meanwhile other connections make calls as fast as they are answered.
import { connectProtocol } from "../load/connect-protocol.ts";
import { gatherCrowd } from "../load/crowd.ts";
import type { Crowd } from "../load/crowd.ts";
import { startMoves } from "../load/pace.ts";
import { readCpuTime } from "../load/server-usage.ts";
import { enterAll, startCrew } from "./crew.ts";
import type { Stretch, StretchResult, UnaryOrder, UnaryReport } from "./order.ts";

/** How long a load runs before it is measured, as a part of the time that is measured. */
const WARM_UP = 0.4;
/** How long the world is left in peace between two loads, in milliseconds: what was written behind is written. */
const REST_MS = 600;
const MOVES_PER_SECOND = 5;
const MICROS_PER_S = 1e6;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function carryOut(order: UnaryOrder): Promise<StretchResult[]> {
  const crowd = await gatherCrowd(order.walk, connectProtocol);
  const stopMoves = startMoves(crowd, crowd.members, MOVES_PER_SECOND);
  await sleep(order.walk.warmUpSeconds * 1000);
  const results: StretchResult[] = [];
  for (const stretch of order.stretches) {
    results.push(await measure(order, stretch, crowd));
    await sleep(REST_MS);
  }
  stopMoves();
  crowd.close();
  return results;
}

async function measure(
  order: UnaryOrder,
  { name, crew }: Stretch,
  crowd: Crowd,
): Promise<StretchResult> {
  const { pid } = order.walk;
  if (Object.keys(crew).length > 0) {
    await enterAll(order.port, [...order.callers, ...order.builders]);
  }
  const running = await startCrew(order, crew, `n${name.replaceAll(/\W/g, "")}`);
  await sleep(order.seconds * WARM_UP * 1000);
  running.reset();
  crowd.intervals.clear();
  const ownBefore = process.cpuUsage();
  const before = readCpuTime(pid);
  const begun = performance.now();
  await sleep(order.seconds * 1000);
  const ended = performance.now();
  const after = readCpuTime(pid);
  const own = process.cpuUsage(ownBefore);
  const seconds = (ended - begun) / 1000;
  const calls = running.results(seconds);
  const intervalP99 = crowd.intervals.percentile(0.99);
  const intervalMax = crowd.intervals.percentile(1);
  await running.stop();
  if (crowd.failure) throw new Error(crowd.failure);
  const cpu = after.total - before.total;
  return {
    name,
    begun: performance.timeOrigin + begun,
    ended: performance.timeOrigin + ended,
    calls,
    intervalP99,
    intervalMax,
    serverCpu: cpu / (seconds * MICROS_PER_S),
    otherThreadsCpu: (cpu - (after.main - before.main)) / (seconds * MICROS_PER_S),
    mainWaited: (after.mainWaited - before.mainWaited) / (seconds * MICROS_PER_S),
    generatorCpu: (own.user + own.system) / (seconds * MICROS_PER_S),
  };
}

process.once("message", (order: UnaryOrder) => {
  carryOut(order).then(
    (stretches) => tell({ kind: "done", stretches }),
    (error: Error) => tell({ kind: "failed", reason: error.message }),
  );
});
process.on("disconnect", () => process.exit(0));

function tell(report: UnaryReport): void {
  process.send?.(report, () => process.exit(0));
}
