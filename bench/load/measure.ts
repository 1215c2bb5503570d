import { TICK_RATE_HZ } from "../world/rules.ts";
import type { Crowd } from "./crowd.ts";
import type { PhaseResult } from "./order.ts";
import type { Samples } from "./samples.ts";
import { readCpuTime } from "./server-usage.ts";

const MICROS_PER_S = 1e6;

/** Lets a while pass and tells what happened in it. */
export async function measure(
  crowd: Crowd,
  options: {
    readonly name: string;
    readonly pid: number;
    readonly seconds: number;
    readonly seen: Samples;
  },
): Promise<PhaseResult> {
  const { pid, seen } = options;
  crowd.intervals.clear();
  crowd.roundTrips.clear();
  seen.clear();
  Object.assign(crowd.counts, { updates: 0, updateBytes: 0, moves: 0, late: 0 });
  const bytesBefore = crowd.bytesRead();
  const ownBefore = process.cpuUsage();
  const begun = performance.now();
  const before = readCpuTime(pid);
  await new Promise((resolve) => {
    setTimeout(resolve, options.seconds * 1000);
  });
  const after = readCpuTime(pid);
  const seconds = (performance.now() - begun) / 1000;
  const own = process.cpuUsage(ownBefore);
  if (crowd.failure) throw new Error(crowd.failure);
  const players = crowd.members.length;
  const { updates, updateBytes, moves, late } = crowd.counts;
  const cpu = after.total - before.total;
  const others = cpu - (after.main - before.main);
  return {
    name: options.name,
    seconds,
    cpuMicrosPerPlayerTick: cpu / (players * seconds * TICK_RATE_HZ),
    serverCpu: cpu / (seconds * MICROS_PER_S),
    otherThreadsCpu: others / (seconds * MICROS_PER_S),
    generatorCpu: (own.user + own.system) / (seconds * MICROS_PER_S),
    updatesPerPlayerSecond: updates / (players * seconds),
    bytesPerPlayerSecond: (crowd.bytesRead() - bytesBefore) / (players * seconds),
    updateBytesPerPlayerSecond: updateBytes / (players * seconds),
    intervalP50: crowd.intervals.percentile(0.5),
    intervalP99: crowd.intervals.percentile(0.99),
    moves,
    movesLate: late,
    moveP50: crowd.roundTrips.percentile(0.5),
    moveP99: crowd.roundTrips.percentile(0.99),
    seenP50: seen.percentile(0.5),
    seenP99: seen.percentile(0.99),
    seenCount: seen.count,
    cpuMicrosPerCall: cpu / moves,
  };
}
