import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ZoneMapSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import {
  MAX_OBJECTS,
  MAX_TILESETS,
  checkShape,
  mapSchema,
  objectLayerSchema,
  parseJson,
} from "./format.ts";
import type { TiledMap } from "./format.ts";
import { flattenLayers } from "./layers.ts";
import type { FlatLayer } from "./layers.ts";
import { START_SPAWN } from "../../sim/world-map.ts";
import { readObject } from "./objects.ts";
import type { FoundObjects, ObjectContext } from "./objects.ts";
import { MapError, createProblems, reasonOf } from "./problems.ts";
import type { Problems } from "./problems.ts";
import { readTileLayers } from "./tile-layers.ts";
import { loadTilesets } from "./tilesets.ts";

export { checkPortals } from "./portals.ts";
export { MapError } from "./problems.ts";

/** Bytes that a file of a map or a tileset may have: enough for the largest map in CSV. */
export const MAX_FILE_BYTES = 128 * 1024 * 1024;

/** What {@link parseTiledMap} needs. */
export interface ParseTiledMapOptions {
  /** The zone that it is the map of. */
  readonly zone: string;
  /** The file's name, for messages. */
  readonly file: string;
  /** The file's content. */
  readonly text: string;
  /** Gives the text of an external tileset, by the path that the map has for it; throws when it cannot. */
  readonly tilesets?: (source: string) => string;
  /** The kinds of the game. Without them objects and spawns may be of any kind. */
  readonly kinds?: ReadonlySet<string>;
}

/**
 * Turns a map of Tiled's JSON format 1.10 (`.tmj`; orthogonal, finite, square tiles) into a zone's map of
 * revision 1. Throws a {@link MapError} that lists what is wrong, each with layer and place in tiles.
 */
export function parseTiledMap(options: ParseTiledMapOptions): ZoneMap {
  const problems = createProblems(options.file);
  const raw = parseJson(options.text, problems);
  problems.throwIfAny();
  const map = checkShape(mapSchema, raw, problems);
  if (map !== undefined) checkForm(map, problems);
  problems.throwIfAny();
  const result = map === undefined ? undefined : build(map, options, problems);
  problems.throwIfAny();
  return result as ZoneMap;
}

/** Reads a map file and the tilesets beside it, and parses them as {@link parseTiledMap} does. */
export async function loadTiledMap(options: {
  readonly path: string;
  readonly zone: string;
  readonly kinds?: ReadonlySet<string>;
}): Promise<ZoneMap> {
  const { path, ...rest } = options;
  const file = basename(path);
  const text = await readText(path).catch((error: unknown) => {
    throw new MapError([`${file}: cannot be read: ${reasonOf(error)}`]);
  });
  const found = new Map<string, string | Error>();
  for (const source of externalTilesets(text)) {
    const tileset = await readText(resolve(dirname(path), source)).catch((error: Error) => error);
    found.set(source, tileset);
  }
  const tilesets = (source: string): string => {
    const content = found.get(source) ?? new Error("there is no such file");
    if (content instanceof Error) throw content;
    return content;
  };
  return parseTiledMap({ ...rest, file, text, tilesets });
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes are too many`);
  return readFile(path, "utf8");
}

/** The files that a map refers to. What is wrong with the map is left for the parser to say. */
function externalTilesets(text: string): string[] {
  const raw = parseJson(text, createProblems(""));
  const tilesets = (raw as { tilesets?: unknown } | null | undefined)?.tilesets;
  if (!Array.isArray(tilesets)) return [];
  return tilesets
    .slice(0, MAX_TILESETS)
    .map((t: { source?: unknown } | null) => t?.source)
    .filter((source) => typeof source === "string");
}

function checkForm(map: TiledMap, problems: Problems): void {
  if (map.orientation !== "orthogonal") {
    problems.add(`is ${map.orientation}; only orthogonal maps are supported`);
  }
  if (map.infinite) problems.add("is infinite; untick Map > Map Properties > Infinite in Tiled");
  if (map.tilewidth !== map.tileheight) {
    problems.add(`its tiles have ${map.tilewidth} × ${map.tileheight} pixels; they must be square`);
  }
}

function build(map: TiledMap, options: ParseTiledMapOptions, problems: Problems): ZoneMap {
  const { width, height, tilewidth: tileSize } = map;
  const read = options.tilesets ?? unreadable;
  const tilesets = loadTilesets({ entries: map.tilesets, tileSize, read, problems });
  const flat = flattenLayers(map.layers, problems);
  // With a tileset missing, each tile of it would be a problem of its own.
  const complete = tilesets.length === map.tilesets.length ? tilesets : undefined;
  const { layers, barriers, isBarrier } = readTileLayers(flat, map, complete, problems);
  const context = { width, height, tileSize, tilesets, kinds: options.kinds, isBarrier };
  const { objects, spawns, portals } = readObjects(flat, context, problems);
  return create(ZoneMapSchema, {
    zone: options.zone,
    revision: 1,
    width,
    height,
    tileSize,
    layers,
    tilesets: tilesets.map((t) => t.message),
    barriers,
    objects,
    spawns,
    portals,
  });
}

function unreadable(): never {
  throw new Error("external tilesets are not available here");
}

function readObjects(
  layers: readonly FlatLayer[],
  context: ObjectContext,
  problems: Problems,
): FoundObjects {
  const found: FoundObjects = { objects: [], spawns: [], portals: [], names: new Map() };
  let count = 0;
  for (const layer of layers.filter((l) => l.type === "objectgroup")) {
    const inLayer = problems.within(`layer "${layer.name}"`);
    const raw = checkShape(objectLayerSchema, layer.raw, inLayer)?.objects ?? [];
    count += raw.length;
    if (count > MAX_OBJECTS) {
      inLayer.add(`the map has more than ${MAX_OBJECTS} objects`);
      break;
    }
    for (const object of raw) readObject(object, found, context, inLayer);
  }
  if (!found.spawns.some((spawn) => spawn.name === START_SPAWN)) {
    problems.add(`needs a spawn named "${START_SPAWN}", where characters begin`);
  }
  return found;
}
