// The world served by connect-node's own adapter: Connect over HTTP/1.1, or with `connect-node-h2c` gRPC over HTTP/2.
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { saysSomething } from "../wire/update-bytes.ts";
import { createPlainWorld } from "../world/plain-world.ts";
import { createScenario } from "../world/scenario.ts";
import { announce, plainCredentials, readSettings } from "./child.ts";
import { answerMove } from "./plain-moves.ts";
import { startClock } from "./plain-clock.ts";
import { createUpdate } from "./update-message.ts";

const settings = readSettings();
const world = createPlainWorld(createScenario(settings).homes);
const waiting = new Set<() => void>();

const handler = connectNodeAdapter({
  routes: (router) => {
    router.service(WorldService, {
      move: (request, { requestHeader }) => answerMove(world, playerOf(requestHeader), request),
      async *update(_, { requestHeader, signal }) {
        const player = playerOf(requestHeader);
        world.join(player);
        try {
          for (let isFirst = true; !signal.aborted;) {
            await new Promise<void>((resolve) => {
              waiting.add(resolve);
            });
            const sight = world.look(player);
            if (!saysSomething(sight)) continue;
            yield createUpdate(world, player, sight, isFirst);
            isFirst = false;
          }
        } finally {
          world.leave(player);
        }
      },
    });
  },
});

function playerOf(headers: Headers): number {
  return Number(headers.get("authorization")?.slice("Bearer ".length));
}

const server =
  settings.candidate === "connect-node-h2c"
    ? http2.createServer(handler)
    : http.createServer(handler);
await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
const stopClock = startClock(() => {
  world.step();
  const all = [...waiting];
  waiting.clear();
  for (const wake of all) wake();
});
const { port } = server.address() as AddressInfo;
announce({ port, credentials: plainCredentials(settings.players) }, async () => stopClock());
