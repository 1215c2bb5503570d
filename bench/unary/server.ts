// The real server on either database, with accounts for everybody who walks, calls, builds and logs in. It notes the
// moment of every tick and tells them all when it is asked.
import { resolve } from "node:path";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { createPasswords } from "../../server/account/passwords.ts";
import { createCommand, readConfig } from "../../server/config.ts";
import { loadGame } from "../../server/load-game.ts";
import { createServer } from "../../server/server.ts";
import { enrollAll } from "../servers/enroll.ts";
import { createQuietLogger } from "../servers/quiet-logger.ts";
import { readCpuTime } from "../load/server-usage.ts";
import { announce } from "../servers/child.ts";
import { playerName } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { createStoreOf } from "./open-store.ts";
import { MAX_CALLERS, PASSWORD } from "./order.ts";
import type { TickMoment, UnaryReady, UnarySettings } from "./order.ts";
import { CREWS } from "./stretches.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as UnarySettings;
const root = resolve(import.meta.dirname, "../..");
const logger = createQuietLogger();
const argv = ["--host", "127.0.0.1", "--port", "0", "--drain-ms", "0", "--data", settings.dataDir];
argv.push("--plaintext", "allow", "--connections-per-address", "20000");
const game = await loadGame(resolve(root, "bench/unary/game"));
const command = createCommand("0.0.0-bench");
const config = readConfig(command.parse(argv, { from: "user" }).opts(), { NODE_ENV: "production" });
const store = createStoreOf(settings, game, logger);
const version = { server: "0.0.0-bench", commit: "bench" };
const server = createServer({ config, game, logger, root, version, store });
const { port } = await server.start();

const ticks: TickMoment[] = [];
const zone = await server.zones.get(game.game.startZone);
zone.listen({
  onTick() {
    const waitedMs = readCpuTime(process.pid).mainWaited / 1000;
    ticks.push({ at: performance.timeOrigin + performance.now(), waitedMs });
  },
});
process.on("message", () => process.send?.(ticks));

const { homes } = createScenario({ players: settings.walkers, neighbours: settings.neighbours });
const passwordHash = await createPasswords().hash(PASSWORD);
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const live = (name: string, i: number, role: Role) => ({
  name,
  home: homes[i % homes.length] ?? { x: 0, y: 0 },
  role,
  passwordHash,
});
const logins = names("login", CREWS.Login);
const ready: UnaryReady = {
  port,
  walkers: await enrollAll(
    store,
    game,
    homes.map((home, player) => ({ name: playerName(player), home })),
  ),
  callers: await enrollAll(
    store,
    game,
    names("caller", MAX_CALLERS).map((name, i) => live(name, i, Role.PLAYER)),
  ),
  builders: await enrollAll(
    store,
    game,
    names("builder", CREWS.Edit).map((name, i) => live(name, i, Role.BUILDER)),
  ),
  logins,
};
await enrollAll(
  store,
  game,
  logins.map((name, i) => live(name, i, Role.PLAYER)),
);
announce(ready, () => server.close());
