// The world as a Colyseus room: with `colyseus` each client has a StateView of those within its radius, with
// `colyseus-all` nobody is filtered and everybody is sent everybody.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Room, Server, matchMaker } from "@colyseus/core";
import type { Client } from "@colyseus/core";
import { StateView } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { announce, readSettings } from "../../servers/child.ts";
import { createPlainWorld } from "../../world/plain-world.ts";
import { TICK_MS, toUnits } from "../../world/rules.ts";
import { createScenario } from "../../world/scenario.ts";
import { createStateTypes } from "./schema.ts";
import type { Player, State } from "./schema.ts";

/** Directions travel as whole thousandths. */
const DIRECTION_PARTS = 1000;
/** How long a seat is kept for a player who has not come yet. */
const SEAT_SECONDS = 300;

const settings = readSettings();
const filtered = settings.candidate === "colyseus";
const { homes, side } = createScenario(settings);
const farthest = Math.max(...homes.map(({ x, y }) => Math.max(x, y))) + side / 10 + 20;
const types = createStateTypes({ filtered, maxUnits: toUnits(farthest) });

class World extends Room<{ state: State }> {
  override maxClients = Infinity;
  override patchRate = null;
  override seatReservationTimeout = SEAT_SECONDS;
  readonly world = createPlainWorld(homes);
  readonly players = new Map<number, { readonly client: Client; readonly state: Player }>();

  override onCreate(): void {
    this.state = new types.State();
    this.onMessage(0, (client: Client, [x, y]: [number, number]) => {
      this.world.move(client.userData as number, x / DIRECTION_PARTS, y / DIRECTION_PARTS);
    });
    this.setSimulationInterval(() => this.tick(), TICK_MS);
  }

  override onJoin(client: Client, { player }: { player: number }): void {
    const state = new types.Player();
    state.x = this.world.xs[player] as number;
    state.y = this.world.ys[player] as number;
    client.userData = player;
    if (filtered) client.view = new StateView();
    this.world.join(player);
    this.players.set(player, { client, state });
    this.state.players.set(String(player), state);
  }

  override onLeave(client: Client): void {
    const player = client.userData as number;
    this.world.leave(player);
    this.players.delete(player);
    this.state.players.delete(String(player));
  }

  tick(): void {
    const { world } = this;
    world.step();
    for (const [player, { state }] of this.players) {
      state.x = world.xs[player] as number;
      state.y = world.ys[player] as number;
    }
    if (filtered) for (const player of this.players.keys()) this.show(player);
    this.broadcastPatch();
  }

  show(viewer: number): void {
    const view = this.players.get(viewer)?.client.view;
    const { entered, left } = this.world.look(viewer);
    for (const player of entered) {
      const state = this.players.get(player)?.state;
      if (state) view?.add(state);
    }
    for (const player of left) {
      const state = this.players.get(player)?.state;
      if (state) view?.remove(state);
    }
  }
}

const httpServer = http.createServer();
const server = new Server({
  greet: false,
  gracefullyShutdown: false,
  transport: new WebSocketTransport({ server: httpServer }),
});
server.define("world", World);
await server.listen(0, "127.0.0.1");
const credentials: string[] = [];
for (let player = 0; player < settings.players; player++) {
  const seat = await matchMaker.joinOrCreate("world", { player });
  credentials.push(`/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`);
}
announce({ port: (httpServer.address() as AddressInfo).port, credentials });
