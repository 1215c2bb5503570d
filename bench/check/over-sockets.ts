import { join, resolve } from "node:path";
import { connectProtocol } from "../load/connect-protocol.ts";
import { grpcProtocol } from "../load/grpc-protocol.ts";
import { readCpuTime } from "../load/server-usage.ts";
import type { DataFolders } from "../run/data-folders.ts";
import type { Child, Processes } from "../run/processes.ts";
import type { ServerReady, ServerSettings } from "../servers/child.ts";
import { openBurst } from "./burst.ts";
import type { Burst } from "./burst.ts";
import { TICK_MS } from "../world/rules.ts";
import { ratioOfLeast } from "./pieces.ts";
import type { Ratios } from "./pieces.ts";

/** Connections on which Moves are made, and streams on which updates are counted. */
const CONNECTIONS = 40;
const ROUNDS = 12;
/** Rounds before anything counts, in which the engines compile. */
const WARM_UP_ROUNDS = 4;
const MOVES_PER_ROUND = 1_200;
/** How long updates are counted in a round, in ticks. */
const LISTEN_TICKS = 5;
const START_MS = 60_000;

const servers = resolve(import.meta.dirname, "../servers");

/** What the check starts processes with. */
export interface CheckProcesses {
  readonly processes: Processes;
  readonly folders: DataFolders;
}

interface Target {
  readonly child: Child;
  readonly ready: ServerReady;
  readonly dataDir: string;
}

/** Measures calls and streams of the real server in a process of its own, beside echoes in theirs. */
export async function measureCalls(check: CheckProcesses): Promise<Ratios> {
  const started: Target[] = [];
  try {
    const begin = async (file: string, candidate: string) => {
      const target = await start(check, file, candidate);
      started.push(target);
      return target;
    };
    const server = await begin("realmwire.ts", "realmwire");
    const echo = await begin("echo.ts", "node-http");
    const echo2 = await begin("echo.ts", "node-http2");
    const move = await compareMoves(server, echo, connectProtocol);
    const moveH2c = await compareMoves(server, echo2, grpcProtocol);
    const update = await compareUpdates(server, echo);
    return { move, moveH2c, update };
  } finally {
    for (const { child, dataDir } of started) {
      await child.stop();
      await check.folders.give(dataDir);
    }
  }
}

async function start(
  { processes, folders }: CheckProcesses,
  file: string,
  candidate: string,
): Promise<Target> {
  const dataDir = await folders.takeEmpty();
  const settings: ServerSettings = { candidate, players: CONNECTIONS, neighbours: 30, dataDir };
  const child = processes.start({
    role: "server",
    file: join(servers, file),
    argument: JSON.stringify(settings),
  });
  return { child, dataDir, ready: await child.next<ServerReady>(START_MS) };
}

async function compareMoves(
  server: Target,
  echo: Target,
  protocol: typeof connectProtocol,
): Promise<number> {
  const own = await open(server, protocol, { withStream: false, echoes: false });
  const plain = await open(echo, protocol, { withStream: false, echoes: true });
  const taken: number[] = [];
  const plainTaken: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const micros = await cpuOf(server, () => own.run(MOVES_PER_ROUND));
    const plainMicros = await cpuOf(echo, () => plain.run(MOVES_PER_ROUND));
    if (round < 0) continue;
    taken.push(micros);
    plainTaken.push(plainMicros);
  }
  own.close();
  plain.close();
  return ratioOfLeast(taken, plainTaken);
}

/** In each tick somebody turns, which all others are told. */
async function compareUpdates(server: Target, echo: Target): Promise<number> {
  const streams = await open(server, connectProtocol, { withStream: true, echoes: false });
  const plain = await open(echo, connectProtocol, { withStream: false, echoes: true });
  const taken: number[] = [];
  const plainTaken: number[] = [];
  let turns = 0;
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const before = streams.updates;
    const micros = await cpuOf(server, async () => {
      for (let tick = 0; tick < LISTEN_TICKS; tick++) {
        streams.turn(turns++);
        await sleep(TICK_MS);
      }
    });
    const updates = streams.updates - before;
    const plainMicros = await cpuOf(echo, () => plain.run(MOVES_PER_ROUND));
    if (round < 0) continue;
    if (updates < CONNECTIONS) throw new Error(`only ${updates} updates came`);
    taken.push(micros / updates);
    plainTaken.push(plainMicros / MOVES_PER_ROUND);
  }
  streams.close();
  plain.close();
  return ratioOfLeast(taken, plainTaken);
}

function open(
  { ready }: Target,
  protocol: typeof connectProtocol,
  how: { readonly withStream: boolean; readonly echoes: boolean },
): Promise<Burst> {
  return openBurst({ protocol, ...ready, ...how });
}

/** The CPU time of a server's main thread while something goes on, in microseconds. */
async function cpuOf({ child }: Target, work: () => Promise<void>): Promise<number> {
  const before = readCpuTime(child.pid).main;
  await work();
  return readCpuTime(child.pid).main - before;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
