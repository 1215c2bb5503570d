// The load generator: a process of its own, pinned to another core than the server. It is told what to do by one
// message, answers with one, and ends.
import type { Protocol } from "./client.ts";
import { connectProtocol } from "./connect-protocol.ts";
import { gatherCrowd } from "./crowd.ts";
import type { Crowd, Member } from "./crowd.ts";
import { grpcProtocol } from "./grpc-protocol.ts";
import { inputProtocol } from "./input-protocol.ts";
import { measure } from "./measure.ts";
import type { Order, Outcome, PhaseResult, ProtocolName, Report } from "./order.ts";
import { startMoves } from "./pace.ts";
import { createProbes } from "./probe.ts";
import { createSamples } from "./samples.ts";
import { readCpuTime, readMemory } from "./server-usage.ts";
import type { Memory } from "./server-usage.ts";
import type { Place } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { wsProtocol } from "./ws-protocol.ts";

/** How long a load runs before it is measured, once the server is warm. */
const SETTLE_MS = 600;
/** While the server warms up so many times as many Moves are sent: code is compiled after so many calls, not after so long. */
const WARM_UP_FACTOR = 4;
/** But no more than so many a second unless the usual ones are more: a server that is flooded has a queue to work off. */
const MAX_WARM_UP_MOVES = 4_000;
/** How long the idle server is watched after calls were measured. */
const IDLE_MS = 1_000;
const MICROS_PER_S = 1e6;
/** How long the server gets to collect garbage when it is told to. */
const COLLECT_MS = 400;

const STANDING: Place = { x: 0, y: 0 };

async function loadProtocol(name: ProtocolName): Promise<Protocol> {
  switch (name) {
    case "connect":
      return connectProtocol;
    case "grpc":
      return grpcProtocol;
    case "grpc-input":
      return inputProtocol;
    case "ws":
      return wsProtocol;
    case "colyseus": {
      // Its packages are installed only by the benchmark, so that nothing else may depend on their types.
      const path = "../peers/colyseus/protocol.ts";
      return ((await import(path)) as { protocol: Protocol }).protocol;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function memoryAfterCollecting({ pid, dataDir }: Order): Promise<Memory> {
  process.kill(pid, "SIGUSR2");
  await sleep(COLLECT_MS);
  return readMemory(pid, dataDir);
}

async function carryOut(order: Order): Promise<Outcome> {
  const protocol = await loadProtocol(order.protocol);
  const idle = await memoryAfterCollecting(order);
  const crowd = await gatherCrowd(order, protocol);
  const meanSeen = crowd.meanSeen();
  const verified = crowd.members.filter(({ view }) => view).length;
  const phases =
    order.kind === "world" ? await walkAbout(order, crowd) : await makeCalls(order, crowd);
  const meanSeenAtEnd = crowd.meanSeen();
  const memory = await memoryAfterCollecting(order);
  crowd.close();
  const residentPerPlayer = (memory.resident - idle.resident) / order.players;
  const heapPerPlayer = (memory.heap - idle.heap) / order.players;
  return { phases, meanSeen, meanSeenAtEnd, verified, residentPerPlayer, heapPerPlayer };
}

async function walkAbout(order: Order, crowd: Crowd): Promise<PhaseResult[]> {
  const probes = createProbes(crowd, createScenario(order).homes);
  const walkers = crowd.members.filter((member) => !probes.probers.has(member));
  const results: PhaseResult[] = [];
  // Those who probe stand until they are needed, and say so: a connection that says nothing is taken for dead.
  const all = crowd.members.map((member) =>
    probes.probers.has(member) ? standing(member) : member,
  );
  await warmUp(order, crowd, all);
  for (const { name, movesPerSecond, seconds } of order.phases) {
    let stop = () => {};
    if (movesPerSecond > 0) {
      stop = startMoves(crowd, walkers, movesPerSecond);
      probes.start();
    } else {
      const now = performance.now();
      for (const { player, walker } of crowd.members) crowd.move(player, walker.stroll(now));
    }
    await sleep(SETTLE_MS);
    const { pid } = order;
    results.push(await measure(crowd, { name, pid, seconds, seen: probes.seen }));
    stop();
    probes.stop();
    // Answers that are under way arrive.
    await sleep(COLLECT_MS);
  }
  return results;
}

async function warmUp(
  { phases, warmUpSeconds }: Order,
  crowd: Crowd,
  members: readonly Member[],
): Promise<void> {
  const usual = Math.max(...phases.map(({ movesPerSecond }) => movesPerSecond));
  const most = Math.min(usual * WARM_UP_FACTOR, MAX_WARM_UP_MOVES / members.length);
  const stop = startMoves(crowd, members, Math.max(usual, most));
  await sleep(warmUpSeconds * 1000);
  stop();
}

/** Somebody who sends Moves and stays. */
function standing(member: Member): Member {
  return { ...member, walker: { ...member.walker, next: () => STANDING } };
}

async function makeCalls(order: Order, crowd: Crowd): Promise<PhaseResult[]> {
  const { pid } = order;
  const callers = crowd.members.map(standing);
  const results: PhaseResult[] = [];
  await warmUp(order, crowd, callers);
  for (const { name, movesPerSecond, seconds } of order.phases) {
    const stop = startMoves(crowd, callers, movesPerSecond);
    await sleep(SETTLE_MS);
    results.push(await measure(crowd, { name, pid, seconds, seen: createSamples() }));
    stop();
  }
  await sleep(SETTLE_MS);
  const idleCpu = await measureIdle(pid);
  return results.map((result) => {
    const idleMicros = idleCpu * result.seconds * MICROS_PER_S;
    return { ...result, cpuMicrosPerCall: result.cpuMicrosPerCall - idleMicros / result.moves };
  });
}

/** What the server uses while nobody calls, as a part of one core. */
async function measureIdle(pid: number): Promise<number> {
  const before = readCpuTime(pid).total;
  const begun = performance.now();
  await sleep(IDLE_MS);
  return (readCpuTime(pid).total - before) / (((performance.now() - begun) / 1000) * MICROS_PER_S);
}

process.once("message", (order: Order) => {
  carryOut(order).then(
    (outcome) => tell({ kind: "done", outcome }),
    (error: Error) => tell({ kind: "failed", reason: error.message }),
  );
});
process.on("disconnect", () => process.exit(0));

function tell(report: Report): void {
  process.send?.(report, () => process.exit(0));
}
