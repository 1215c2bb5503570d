// The real server with the benchmark's game, on the embedded store. Only the accounts are made without the
// call, since hashing thousands of passwords would take minutes: their records are what `New` stores.
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AccountRecordSchema,
  CharacterRecordSchema,
  SessionRecordSchema,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { createCommand, readConfig } from "../../server/config.ts";
import { loadGame } from "../../server/load-game.ts";
import type { Logger } from "../../server/logger.ts";
import { createServer } from "../../server/server.ts";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import type { Store } from "../../server/store/store.ts";
import { playerName } from "../world/rules.ts";
import type { Place } from "../world/rules.ts";
import { createScenario } from "../world/scenario.ts";
import { announce, readSettings } from "./child.ts";

const SESSION_MS = 86_400_000;
/** Accounts that are stored at once. */
const ENROLL_AT_ONCE = 50;

const settings = readSettings();
const root = resolve(import.meta.dirname, "../..");
const trouble = (fields: object, message: string) =>
  void process.stderr.write(`realmwire: ${message} ${JSON.stringify(fields)}\n`);
const logger: Logger = { debug: () => {}, info: () => {}, warn: trouble, error: trouble };

const folder = resolve(root, "bench/game");
const argv = ["--host", "127.0.0.1", "--port", "0", "--drain-ms", "0", "--data", settings.dataDir];
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
  const tokens: string[] = [];
  for (let first = 0; first < homes.length; first += ENROLL_AT_ONCE) {
    const some = homes.slice(first, first + ENROLL_AT_ONCE);
    const enrolled = some.map((home, index) => enroll(store, first + index, home));
    tokens.push(...(await Promise.all(enrolled)));
  }
  await writeFile(file, JSON.stringify(tokens));
  return tokens;
}

/** Stores an account with a character that stands at home, and a session that plays it; its token comes back. */
async function enroll(store: Store, player: number, home: Place): Promise<string> {
  const name = playerName(player);
  const now = timestampFromMs(Date.now());
  const { startZone, character } = game.game;
  const stored = await store.createAccount(
    create(AccountRecordSchema, { name, role: Role.PLAYER, createdAt: now }),
    create(CharacterRecordSchema, {
      name,
      zone: startZone,
      position: { ...home, z: 0 },
      components: [anyPack(BodySchema, create(BodySchema, character.body))],
      createdAt: now,
    }),
  );
  const token = randomBytes(32).toString("base64url");
  await store.createSession(
    create(SessionRecordSchema, {
      tokenHash: new Uint8Array(createHash("sha256").update(token).digest()),
      accountId: stored.account.id,
      characterId: stored.character.id,
      state: SessionState.LIVE,
      createdAt: now,
      expiresAt: timestampFromMs(Date.now() + SESSION_MS),
    }),
  );
  return token;
}
