import type { Place } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { createWalker } from "../world/walker.ts";
import type { Walker } from "../world/walker.ts";
import type { ClientEvents, GameClient, Protocol, View } from "./client.ts";
import type { Order } from "./order.ts";
import { createSamples } from "./samples.ts";
import type { Samples } from "./samples.ts";
import { verifyJoins } from "./verify-joins.ts";

/** Connections that are opened at once. */
const OPEN_AT_ONCE = 25;
/** Players whose streams are decoded all the time; those of the others only until their join is verified. */
const SAMPLE_SIZE = 40;

/** One player of the crowd. */
export interface Member {
  readonly player: number;
  readonly walker: Walker;
  readonly client: GameClient;
  /** What it sees; undefined: nobody looks. Out of date once its join is verified, unless it is in the sample. */
  readonly view: View | undefined;
  readonly isInSample: boolean;
}

/** All players of a run, on one process. */
export interface Crowd {
  readonly members: readonly Member[];
  /** What went wrong first. */
  readonly failure: string | undefined;
  /** Milliseconds between two updates of one stream, over all streams. */
  readonly intervals: Samples;
  /** Milliseconds from a Move to its answer. */
  readonly roundTrips: Samples;
  readonly counts: { updates: number; updateBytes: number; moves: number; late: number };
  /** Sends a player's Move unless its last one still waits for its answer; whether it was sent. */
  move(player: number, direction: Place): boolean;
  /** Is told of every update of a player in the sample, after it was applied. */
  onSeen: (viewer: number) => void;
  bytesRead(): number;
  /** Players in view on average, over the streams that are decoded. */
  meanSeen(): number;
  close(): void;
}

/** A crowd that members can be added to. */
interface OpenCrowd extends Crowd {
  readonly members: Member[];
  /** What a player's connection is to tell. */
  eventsOf(player: number): ClientEvents;
  /** Stops decoding the streams of those who are not in the sample. */
  keepSample(): void;
  readonly views: readonly (View | undefined)[];
}

/** Opens all connections, and waits until every player sees just those that it must. Rejects when one does not. */
export async function gatherCrowd(order: Order, protocol: Protocol): Promise<Crowd> {
  const { homes } = createScenario(order);
  const crowd = createCrowd(order, protocol);
  for (let first = 0; first < order.players; first += OPEN_AT_ONCE) {
    const some = homes.slice(first, first + OPEN_AT_ONCE);
    await Promise.all(some.map((home, index) => join(crowd, order, protocol, first + index, home)));
  }
  if (order.kind === "world") await verifyJoins(crowd, order);
  crowd.keepSample();
  return crowd;
}

async function join(
  crowd: OpenCrowd,
  order: Order,
  protocol: Protocol,
  player: number,
  home: Place,
): Promise<void> {
  const client = await protocol.open({
    port: order.port,
    player,
    credential: order.credentials[player] ?? "",
    withStream: order.kind === "world",
    events: crowd.eventsOf(player),
  });
  crowd.members[player] = {
    player,
    walker: createWalker({ seed: player, home }),
    client,
    view: crowd.views[player],
    isInSample: isSampled(player, order.players),
  };
}

function createCrowd(order: Order, protocol: Protocol): OpenCrowd {
  const { players } = order;
  const views = createViews(order, protocol);
  const lastUpdate = new Float64Array(players);
  const sentAt = new Float64Array(players);
  let failure: string | undefined;
  let closed = false;

  function fail(reason: string): void {
    if (!closed) failure ??= reason;
  }

  function onUpdate(player: number, message: Buffer): void {
    const now = performance.now();
    const last = lastUpdate[player] as number;
    if (last !== 0) crowd.intervals.add(now - last);
    lastUpdate[player] = now;
    crowd.counts.updates++;
    crowd.counts.updateBytes += message.length;
    views[player]?.apply(message);
    if (isSampled(player, players)) crowd.onSeen(player);
  }

  function onAnswer(player: number, answer: Buffer): void {
    crowd.roundTrips.add(performance.now() - (sentAt[player] as number));
    sentAt[player] = 0;
    if (!order.echoes && !protocol.isMoved(answer)) fail(`player ${player}: a Move was refused`);
  }

  const crowd: OpenCrowd = {
    members: [],
    views,
    intervals: createSamples(),
    roundTrips: createSamples(),
    counts: { updates: 0, updateBytes: 0, moves: 0, late: 0 },
    onSeen: () => {},
    get failure() {
      return failure;
    },
    eventsOf: (player) => ({
      onUpdate: (message) => onUpdate(player, message),
      onAnswer: (answer) => onAnswer(player, answer),
      onFailure: (reason) => fail(`player ${player}: ${reason}`),
    }),
    keepSample() {
      for (const player of views.keys()) if (!isSampled(player, players)) views[player] = undefined;
    },
    move(player, direction) {
      const isAwaited = (sentAt[player] as number) > 0;
      if (isAwaited && protocol.answers === "each") {
        crowd.counts.late++;
        return false;
      }
      crowd.counts.moves++;
      if (!isAwaited && protocol.answers !== "none") sentAt[player] = performance.now();
      crowd.members[player]?.client.move(direction);
      return true;
    },
    bytesRead: () => crowd.members.reduce((sum, { client }) => sum + client.bytesRead(), 0),
    meanSeen() {
      const sizes = views.flatMap((view) => (view ? [view.size()] : []));
      return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    },
    close() {
      closed = true;
      for (const { client } of crowd.members) client.close();
    },
  };
  return crowd;
}

/** A view for everybody; only for the sample when all see all, or the generator could not hold them. */
function createViews(order: Order, protocol: Protocol): (View | undefined)[] {
  const { kind, players, seesAll } = order;
  return Array.from({ length: players }, (_, player) =>
    kind === "world" && (!seesAll || isSampled(player, players))
      ? protocol.createView(player)
      : undefined,
  );
}

/** Whether a player is one of the evenly spread sample. */
function isSampled(player: number, players: number): boolean {
  return player % Math.max(1, Math.floor(players / SAMPLE_SIZE)) === 0;
}
