// The world over plain WebSockets with the server's own encoding, written by hand: what the network alone costs.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { announce, plainCredentials, readSettings } from "../../servers/child.ts";
import { startClock } from "../../servers/plain-clock.ts";
import { readMove, writeMoveAnswer } from "../../wire/move-bytes.ts";
import { MESSAGE } from "../../wire/socket-messages.ts";
import { saysSomething, writeUpdate } from "../../wire/update-bytes.ts";
import { createPlainWorld } from "../../world/plain-world.ts";
import { UNITS_PER_TILE } from "../../world/rules.ts";
import { createScenario } from "../../world/scenario.ts";

const settings = readSettings();
const world = createPlainWorld(createScenario(settings).homes);
const sockets = new Map<number, { readonly socket: WebSocket; isFirst: boolean }>();

const server = http.createServer();
const listener = new WebSocketServer({ server, perMessageDeflate: false });
listener.on("connection", (socket, request) => {
  const player = Number(request.url?.slice("/?player=".length));
  world.join(player);
  sockets.set(player, { socket, isFirst: true });
  socket.on("message", (data) => {
    const { dx, dy, sequence } = readMove(data as Buffer);
    world.move(player, dx, dy);
    const x = (world.xs[player] as number) / UNITS_PER_TILE;
    const y = (world.ys[player] as number) / UNITS_PER_TILE;
    socket.send(framed(MESSAGE.answer, writeMoveAnswer({ x, y }, sequence)));
  });
  socket.on("close", () => {
    sockets.delete(player);
    world.leave(player);
  });
});

function framed(kind: number, message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + message.length);
  bytes[0] = kind;
  bytes.set(message, 1);
  return bytes;
}

await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
const stopClock = startClock(() => {
  world.step();
  for (const [player, entry] of sockets) {
    const sight = world.look(player);
    if (!saysSomething(sight)) continue;
    entry.socket.send(framed(MESSAGE.update, writeUpdate(world, player, sight, entry.isFirst)));
    entry.isFirst = false;
  }
});
const { port } = server.address() as AddressInfo;
announce({ port, credentials: plainCredentials(settings.players) }, async () => stopClock());
