import { join } from "node:path";
import type { LoadedGame } from "../../server/load-game.ts";
import type { Logger } from "../../server/logger.ts";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { createPostgresStore } from "../../server/store/postgres-store.ts";
import type { Store } from "../../server/store/store.ts";
import type { UnarySettings } from "./order.ts";

/** The store that a server with these settings has; not started. */
export function createStoreOf(
  { database, dataDir }: UnarySettings,
  game: LoadedGame,
  logger: Logger,
): Store {
  const common = { registry: game.world.types.registry, logger };
  return database.kind === "postgres"
    ? createPostgresStore({ ...common, url: database.url })
    : createPgliteStore({ ...common, dataDir: join(dataDir, "database") });
}
