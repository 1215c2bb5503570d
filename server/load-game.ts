import { readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { ZoneMap } from "../gen/ts/realmwire/v1/map_pb.ts";
import type { Game } from "./game.ts";
import { createComponentTypes } from "./sim/components.ts";
import type { ComponentTypes } from "./sim/components.ts";
import type { Kind } from "./sim/kind.ts";
import { checkPortals, loadTiledMap } from "./zone/tiled/tiled.ts";
import type { GameWorld } from "./zone/game-world.ts";

/** A game that was loaded and checked. */
export interface LoadedGame {
  readonly game: Game;
  readonly world: GameWorld;
}

/** A game that cannot be run; the message says what is wrong and where. */
export class GameError extends Error {
  override readonly name = "GameError";
}

const gameShape = z.object({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be 1 to 64 lower-case letters, digits and `-`"),
  title: z.string().min(1).max(100),
  proto: z.object({ components: z.array(z.looseObject({ kind: z.literal("message") })) }),
  maps: z.array(z.string().min(1)).min(1, "names no map"),
  services: z.custom((value) => typeof value === "function", "must be a function").optional(),
  startZone: z.string().min(1),
  scripts: z.string().min(1),
  character: z.looseObject({ body: z.looseObject({}), components: z.array(z.looseObject({})) }),
  viewRadius: z.number().min(1).max(64),
  tickRateHz: z.number().min(1).max(60),
});

/** Loads a game's folder: its `game.ts`, its scripts and its maps. Throws a {@link GameError} or a `MapError`. */
export async function loadGame(folder: string): Promise<LoadedGame> {
  const file = join(folder, "game.ts");
  const game = (await importDefault(file)) as Game;
  const shape = gameShape.safeParse(game);
  if (!shape.success) {
    const problems = shape.error.issues.map(
      ({ path, message }) => `${file}: ${path.join(".")}: ${message}`,
    );
    throw new GameError(problems.join("\n"));
  }
  const types = readComponents(file, game);
  const kinds = await loadKinds(join(folder, game.scripts));
  const maps = await Promise.all(
    game.maps.map(async (path): Promise<[string, ZoneMap]> => {
      const zone = basename(path, extname(path));
      const map = await loadTiledMap({
        path: join(folder, path),
        zone,
        kinds: new Set(kinds.keys()),
      });
      return [zone, map];
    }),
  );
  const byZone = new Map(maps);
  if (byZone.size < maps.length) throw new GameError(`${file}: maps: two maps have the same name`);
  if (!byZone.has(game.startZone)) {
    throw new GameError(`${file}: startZone: there is no map "${game.startZone}"`);
  }
  checkPortals([...byZone.values()]);
  checkAttributes(byZone, types.attribute);
  const world = { id: game.id, types, kinds, maps: byZone, tickRateHz: game.tickRateHz };
  return { game, world };
}

function readComponents(file: string, { proto }: Game): ComponentTypes {
  try {
    return createComponentTypes(proto.components);
  } catch (error) {
    throw new GameError(`${file}: proto.components: ${(error as Error).message}`, { cause: error });
  }
}

async function importDefault(file: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw new GameError(
      `${file}: cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  if (module.default === undefined) throw new GameError(`${file}: has no default export`);
  return module.default;
}

async function loadKinds(folder: string): Promise<Map<string, Kind>> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    throw new GameError(`${folder}: cannot be read`, { cause: error });
  }
  const kinds = new Map<string, Kind>();
  for (const file of files.sort()) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const kind = (await importDefault(join(folder, file))) as Kind;
    if (kind?.is !== "creature" && kind?.is !== "object") {
      throw new GameError(`${join(folder, file)}: "is" must be "creature" or "object"`);
    }
    kinds.set(basename(file, ".ts"), kind);
  }
  return kinds;
}

/** Attributes that a map gives its objects must be the game's. */
function checkAttributes(
  maps: ReadonlyMap<string, ZoneMap>,
  attribute: (name: string) => unknown,
): void {
  const problems: string[] = [];
  for (const [zone, { objects }] of maps) {
    for (const { name, attributes } of objects) {
      for (const key of Object.keys(attributes)) {
        if (!attribute(key))
          problems.push(`map "${zone}": object "${name}": the game has no attribute "${key}"`);
      }
    }
  }
  if (problems.length > 0) throw new GameError(problems.join("\n"));
}
