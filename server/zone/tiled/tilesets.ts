import { posix } from "node:path";
import { create } from "@bufbuild/protobuf";
import { TilesetSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { Tileset } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { checkShape, parseJson, tilesetEntrySchema, tilesetSchema } from "./format.ts";
import type { TiledProperty, TiledTileset } from "./format.ts";
import { reasonOf } from "./problems.ts";
import type { Problems } from "./problems.ts";
import { isTrue } from "./properties.ts";

/** The boolean property, or the class, of a tile that cannot be walked on. */
export const SOLID = "solid";

/** A tileset with what only the loader needs of it. */
export interface LoadedTileset {
  readonly message: Tileset;
  /** Where in a tile object's rectangle its place is, from (0, 0), top left, to (1, 1), bottom right. */
  readonly origin: readonly [number, number];
  /** Class and properties of its tiles, which tile objects inherit, by the number within the tileset. */
  readonly tiles: ReadonlyMap<number, { kind: string; properties: readonly TiledProperty[] }>;
}

const ORIGINS: Readonly<Record<string, readonly [number, number]>> = {
  unspecified: [0, 1],
  topleft: [0, 0],
  top: [0.5, 0],
  topright: [1, 0],
  left: [0, 0.5],
  center: [0.5, 0.5],
  right: [1, 0.5],
  bottomleft: [0, 1],
  bottom: [0.5, 1],
  bottomright: [1, 1],
};

/**
 * Reads the tilesets of a map, its own and those in files, which `read` gives the text of; `read` throws
 * when it cannot. Notes what is wrong; a tileset with a problem is left out.
 */
export function loadTilesets(options: {
  entries: readonly unknown[];
  tileSize: number;
  read: (source: string) => string;
  problems: Problems;
}): LoadedTileset[] {
  const loaded: LoadedTileset[] = [];
  for (const [index, entry] of options.entries.entries()) {
    const tileset = loadTileset(entry, options, options.problems.within(`tileset ${index + 1}`));
    if (tileset !== undefined) loaded.push(tileset);
  }
  checkNumbers(loaded, options.problems);
  return loaded;
}

function loadTileset(
  entry: unknown,
  options: { tileSize: number; read: (source: string) => string },
  problems: Problems,
): LoadedTileset | undefined {
  const head = checkShape(tilesetEntrySchema, entry, problems);
  if (head === undefined) return undefined;
  if (head.source === undefined) return build(entry, "", head.firstgid, options.tileSize, problems);
  const inFile = problems.within(`"${head.source}"`);
  if (!/\.(tsj|json)$/.test(head.source)) {
    inFile.add("is not in JSON; export it from Tiled as .tsj");
    return undefined;
  }
  let text;
  try {
    text = options.read(head.source);
  } catch (error) {
    inFile.add(`cannot be read: ${reasonOf(error)}`);
    return undefined;
  }
  const content = parseJson(text, inFile);
  if (content === undefined) return undefined;
  return build(content, posix.dirname(head.source), head.firstgid, options.tileSize, inFile);
}

function build(
  content: unknown,
  folder: string,
  firstTile: number,
  tileSize: number,
  problems: Problems,
): LoadedTileset | undefined {
  const tileset = checkShape(tilesetSchema, content, problems);
  if (tileset === undefined || !isUsable(tileset, tileSize, problems)) return undefined;
  const origin = ORIGINS[tileset.objectalignment] ?? [0, 1];
  const tiles = new Map(
    tileset.tiles.map((t) => [
      t.id,
      { kind: classOf(t), properties: t.properties.filter((p) => p.name !== SOLID) },
    ]),
  );
  const solid = tileset.tiles.filter(
    (t) => isTrue(t.properties, SOLID) || t.type === SOLID || t.class === SOLID,
  );
  const message = create(TilesetSchema, {
    name: tileset.name,
    firstTile,
    tileCount: tileset.tilecount,
    columns: tileset.columns,
    image: imagePath(folder, tileset.image ?? ""),
    solidTiles: solid.map((t) => t.id).sort((a, b) => a - b),
  });
  return { message, origin, tiles };
}

/** The class that a tile gives to tile objects; `solid` is not one. */
function classOf(tile: TiledTileset["tiles"][number]): string {
  const name = tile.type || tile.class || "";
  return name === SOLID ? "" : name;
}

/** Whether a client can cut the picture knowing only the size of a tile and the number of columns. */
function isUsable(tileset: TiledTileset, tileSize: number, problems: Problems): boolean {
  const before = problems.count();
  if (tileset.image === undefined || tileset.columns === 0) {
    problems.add("is a collection of pictures; put the tiles into one picture");
  }
  if (tileset.tilewidth !== tileSize || tileset.tileheight !== tileSize) {
    const size = `${tileset.tilewidth} × ${tileset.tileheight}`;
    problems.add(`its tiles have ${size} pixels, but the map's have ${tileSize} × ${tileSize}`);
  }
  if (tileset.margin !== 0 || tileset.spacing !== 0) {
    problems.add("margin and spacing must be 0");
  }
  const beyond = tileset.tiles.find((t) => t.id >= tileset.tilecount);
  if (beyond !== undefined) {
    problems.add(
      `has something to say about tile ${beyond.id}, but only ${tileset.tilecount} tiles`,
    );
  }
  return problems.count() === before;
}

/** The picture's path from the folder that holds the game's files; `..` cannot lead out of it. */
function imagePath(folder: string, image: string): string {
  return posix.normalize(posix.join("/", folder, image)).slice(1);
}

function checkNumbers(tilesets: LoadedTileset[], problems: Problems): void {
  const sorted = tilesets.map((t) => t.message).sort((a, b) => a.firstTile - b.firstTile);
  for (const [index, tileset] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && tileset.firstTile + tileset.tileCount > next.firstTile) {
      problems.add(`tilesets "${tileset.name}" and "${next.name}": their tile numbers overlap`);
    }
  }
}
