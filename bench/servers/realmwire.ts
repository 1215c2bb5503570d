// The real server with the benchmark's game, on the embedded store. Only the accounts are made without the
// call, since hashing thousands of passwords would take minutes: their records are what `New` stores.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createCommand, readConfig } from "../../server/config.ts";
import { keepNewObjectsYoung } from "../../server/garbage-collection.ts";
import { loadGame } from "../../server/load-game.ts";
import { createServer } from "../../server/server.ts";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { playerName } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { announce, readSettings } from "./child.ts";
import { enrollAll } from "./enroll.ts";
import { createQuietLogger } from "./quiet-logger.ts";

keepNewObjectsYoung();

const settings = readSettings();
const root = resolve(import.meta.dirname, "../..");
const logger = createQuietLogger();

const folder = resolve(root, "bench/game");
const argv = ["--host", "127.0.0.1", "--port", "0", "--drain-ms", "0", "--data", settings.dataDir];
argv.push("--plaintext", "allow", "--connections-per-address", "20000");
argv.push("--game", folder, "--threads", settings.candidate.endsWith("-threads") ? "1" : "0");
const game = await loadGame(folder);
const command = createCommand("0.0.0-bench");
const config = readConfig(command.parse(argv, { from: "user" }).opts(), { NODE_ENV: "production" });
const store = createPgliteStore({
  registry: game.world.types.registry,
  logger,
  timeoutMs: config.storeTimeoutMs,
  dataDir: join(config.data, "database"),
});
const version = { server: "0.0.0-bench", commit: "bench" };
const server = createServer({ config, game, logger, root, version, store });
const { port } = await server.start();
const credentials = await readCredentials();
announce({ port, credentials }, () => server.close());

/** The tokens of all players, who are enrolled unless the prepared folder has them already. */
async function readCredentials(): Promise<string[]> {
  const file = join(settings.dataDir, "credentials.json");
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8")) as string[];
  const { homes } = createScenario(settings);
  const people = homes.map((home, player) => ({ name: playerName(player), home }));
  const tokens = await enrollAll(store, game, people);
  await writeFile(file, JSON.stringify(tokens));
  return tokens;
}
