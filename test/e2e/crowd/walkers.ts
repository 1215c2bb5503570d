import { fromBinary } from "@bufbuild/protobuf";
import type { Protocol } from "../../../bench/load/client.ts";
import { connectProtocol } from "../../../bench/load/connect-protocol.ts";
import { type Crowd, gatherCrowd } from "../../../bench/load/crowd.ts";
import { startMoves } from "../../../bench/load/pace.ts";
import { UpdateResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type CrowdServer, NEIGHBOURS } from "./crowd-server.ts";

/** Moves of each walker a second: with those of its neighbours, something changes in every tick. */
const MOVES_PER_SECOND = 5;
/** How long they walk before it counts, in milliseconds. */
const WARM_UP_MS = 1_500;

/** What a crowd was told while it walked about. */
export interface Walk {
  readonly seconds: number;
  /** Ticks that passed in the world. */
  readonly ticks: number;
  /** Of each walker, the ticks that it was told of. */
  readonly told: readonly number[];
  /** Moves that were sent, and those that were due while the one before had not been answered yet. */
  readonly moves: number;
  readonly late: number;
}

/**
 * Lets all who have accounts walk about for a while, each on connections of its own. They must stand where they were enrolled. Rejects when
 * one of them sees others than it should, when a stream ends, and when a Move is refused.
 */
export async function walkAbout(server: CrowdServer, forMs: number): Promise<Walk> {
  const told = server.tokens.map(() => 0);
  let tick = 0;
  const crowd = await gather(server, (player, message) => {
    told[player] = (told[player] ?? 0) + 1;
    tick = Math.max(tick, fromBinary(UpdateResponseSchema, message).tick);
  });
  const stop = startMoves(crowd, crowd.members, MOVES_PER_SECOND);
  try {
    await sleep(WARM_UP_MS);
    const before = { told: [...told], tick, at: performance.now(), ...crowd.counts };
    await sleep(forMs);
    const seconds = (performance.now() - before.at) / 1000;
    if (crowd.failure) throw new Error(crowd.failure);
    return {
      seconds,
      ticks: tick - before.tick,
      told: told.map((count, player) => count - (before.told[player] ?? 0)),
      moves: crowd.counts.moves - before.moves,
      late: crowd.counts.late - before.late,
    };
  } finally {
    stop();
    crowd.close();
  }
}

function gather(
  { port, tokens }: CrowdServer,
  onUpdate: (player: number, message: Buffer) => void,
): Promise<Crowd> {
  const protocol: Protocol = {
    ...connectProtocol,
    open(options) {
      const { player, events } = options;
      const noted = (message: Buffer) => {
        onUpdate(player, message);
        events.onUpdate(message);
      };
      return connectProtocol.open({ ...options, events: { ...events, onUpdate: noted } });
    },
  };
  const order = {
    ...({ kind: "world", protocol: "connect", port, credentials: tokens } as const),
    ...{ players: tokens.length, neighbours: NEIGHBOURS, seesAll: false, echoes: false },
    // Those of a benchmark.
    ...{ pid: 0, dataDir: "", warmUpSeconds: 0, phases: [] },
  };
  return gatherCrowd(order, protocol);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
