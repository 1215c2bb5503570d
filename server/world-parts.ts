import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CharacterRecord,
  CharacterRecordSchema,
} from "../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema } from "../gen/ts/realmwire/v1/entity_pb.ts";
import type { Config } from "./config.ts";
import type { LoadedGame } from "./load-game.ts";
import type { Logger } from "./logger.ts";
import type { ComponentTypes } from "./sim/components.ts";
import { createPgliteStore } from "./store/pglite-store.ts";
import { createPostgresStore } from "./store/postgres-store.ts";
import type { Store } from "./store/store.ts";

/** The folder of the embedded database, within the folder of the data. */
export function embeddedFolder(data: string): string {
  return join(data, "database");
}

/** The store that the settings ask for: a PostgreSQL server, or the embedded database. */
export function createStore(
  options: Pick<Config, "data" | "databaseUrl" | "storeTimeoutMs"> & {
    readonly types: ComponentTypes;
    readonly logger: Logger;
  },
): Store {
  const { types, logger, data, databaseUrl, storeTimeoutMs } = options;
  const common = { registry: types.registry, logger, timeoutMs: storeTimeoutMs };
  if (databaseUrl !== "") return createPostgresStore({ ...common, url: databaseUrl });
  return createPgliteStore({ ...common, dataDir: embeddedFolder(data) });
}

/** A new character as the game begins it. */
export function createCharacter(
  { game, world }: LoadedGame,
  { name, accountId, nowMs }: { name: string; accountId: number; nowMs: number },
): CharacterRecord {
  const { startZone, character } = game;
  const body = create(BodySchema, { ...character.body, owner: name });
  const components = [anyPack(BodySchema, body)];
  for (const message of character.components) {
    const type = world.types.byName(message.$typeName);
    if (type) components.push(anyPack(type.schema, message));
  }
  const createdAt = timestampFromMs(nowMs);
  return create(CharacterRecordSchema, { accountId, name, zone: startZone, components, createdAt });
}
