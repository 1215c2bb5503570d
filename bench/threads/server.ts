// The real server with a game of three zones, of which two compute much. The forests are fenced by an edit, and each
// gets a player, since a zone without players rests.
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { CharacterRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { EditCommandSchema, SetBarriersSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { RegionSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { createCommand, readConfig } from "../../server/config.ts";
import { loadGame } from "../../server/load-game.ts";
import type { Logger } from "../../server/logger.ts";
import { createServer } from "../../server/server.ts";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { FORESTS, nameOf, PASSWORD } from "./order.ts";
import type { ThreadsOrder, ThreadsReady } from "./order.ts";

/** Between two fences, and the gap at one end of each, in tiles. */
const FENCE_EVERY = 6;
const GAP = 3;
const FOREST_TILES = 128;

const order = JSON.parse(process.argv[2] ?? "{}") as ThreadsOrder;
const root = resolve(import.meta.dirname, "../..");
// A forest that cannot keep up says so again and again, which is what is measured.
const trouble = (fields: object, message: string) =>
  void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: trouble };

const folder = join(import.meta.dirname, "game");
const settings = {
  host: "127.0.0.1",
  port: "0",
  game: folder,
  data: order.dataDir,
  threads: String(order.threads),
  "drain-ms": "0",
  plaintext: "allow",
};
const argv = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
const game = await loadGame(folder);
const command = createCommand("0.0.0-bench").parse(argv, { from: "user" });
const config = readConfig(command.opts(), { NODE_ENV: "production" });
const store = createPgliteStore({
  registry: game.world.types.registry,
  logger,
  timeoutMs: config.storeTimeoutMs,
  dataDir: join(config.data, "database"),
});
const version = { server: "0.0.0-bench", commit: "bench" };
const server = createServer({ config, game, logger, root, version, store });
const { port } = await server.start();
for (let player = 0; player < order.players + FORESTS.length; player++) {
  await server.accounts.create({ name: nameOf(player), password: PASSWORD, role: Role.PLAYER });
  const forest = FORESTS[player - order.players];
  const record = forest && (await store.findCharacter(nameOf(player)));
  if (!record) continue;
  const moved = create(CharacterRecordSchema, { ...record, zone: forest });
  await store.save({ characters: [moved], objects: [] });
}
if (order.heavy) for (const forest of FORESTS) await fence(forest);
process.on("SIGTERM", () => void server.close().finally(() => process.exit(0)));
process.send?.({ port } satisfies ThreadsReady);

/** Puts up fences from one side to the other, with gaps at alternate ends: every way is a long one. */
async function fence(forest: string): Promise<void> {
  const zone = await server.zones.get(forest);
  const commands = [];
  for (let x = FENCE_EVERY; x < FOREST_TILES; x += FENCE_EVERY) {
    const y = (x / FENCE_EVERY) % 2 === 0 ? 0 : GAP;
    const region = create(RegionSchema, { x, y, width: 1, height: FOREST_TILES - GAP });
    const value = create(SetBarriersSchema, { region, blocked: true });
    commands.push(create(EditCommandSchema, { kind: { case: "setBarriers", value } }));
  }
  const edit = { undoRevision: 0, dryRun: false, expectedRevision: 0, author: "bench" };
  await zone.edit({ ...edit, commands });
}
