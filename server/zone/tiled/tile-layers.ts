import { create } from "@bufbuild/protobuf";
import { TileLayerSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { TileLayer } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { decodeTiles, tileNumber } from "./data.ts";
import { checkShape, tileLayerSchema } from "./format.ts";
import type { TiledMap } from "./format.ts";
import type { FlatLayer } from "./layers.ts";
import type { Problems } from "./problems.ts";
import { isTrue } from "./properties.ts";
import type { LoadedTileset } from "./tilesets.ts";

/** The property of a tile layer that makes all its tiles barriers. */
const COLLISION = "collision";

const TILE_UNKNOWN = 0;
const TILE_FREE = 1;
const TILE_SOLID = 2;

/** The tile layers of a map, and where they cannot be walked on. */
export interface TileLayers {
  readonly layers: TileLayer[];
  /** As in `ZoneMap.barriers`. */
  readonly barriers: Uint8Array;
  /** Whether the tile in this column and row, inside the map, is a barrier. */
  readonly isBarrier: (x: number, y: number) => boolean;
}

/**
 * Reads the tile layers of a map. Notes what is wrong; tile numbers are checked, and barriers found, only
 * when `tilesets` is given.
 */
export function readTileLayers(
  flat: readonly FlatLayer[],
  map: TiledMap,
  tilesets: readonly LoadedTileset[] | undefined,
  problems: Problems,
): TileLayers {
  const numbers = tilesets === undefined ? undefined : classifyTiles(tilesets);
  const barriers = new Uint8Array(Math.ceil((map.width * map.height) / 8));
  const layers: TileLayer[] = [];
  for (const { name, type, raw } of flat) {
    if (type !== "tilelayer") continue;
    const place = problems.within(`layer "${name}"`);
    const layer = readTileLayer(name, raw, map, place);
    if (layer === undefined) continue;
    layers.push(layer);
    if (numbers !== undefined) markBarriers(layer, map.width, numbers, barriers, place);
  }
  const isBarrier = (x: number, y: number): boolean => {
    const bit = y * map.width + x;
    return ((barriers[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  };
  return { layers, barriers, isBarrier };
}

function readTileLayer(name: string, raw: unknown, map: TiledMap, problems: Problems) {
  const layer = checkShape(tileLayerSchema, raw, problems);
  if (layer === undefined) return undefined;
  if (layer.width !== map.width || layer.height !== map.height) {
    const size = `${layer.width} × ${layer.height}`;
    problems.add(`has ${size} tiles, but the map ${map.width} × ${map.height}`);
    return undefined;
  }
  const tiles = decodeTiles(layer, problems);
  if (tiles === undefined) return undefined;
  return create(TileLayerSchema, { name, tiles, collision: isTrue(layer.properties, COLLISION) });
}

/** What each tile number stands for, by number. */
function classifyTiles(tilesets: readonly LoadedTileset[]): Uint8Array {
  const ends = tilesets.map(({ message: t }) => t.firstTile + t.tileCount);
  const numbers = new Uint8Array(Math.max(1, ...ends));
  for (const { message: t } of tilesets) {
    numbers.fill(TILE_FREE, t.firstTile, t.firstTile + t.tileCount);
    for (const id of t.solidTiles) numbers[t.firstTile + id] = TILE_SOLID;
  }
  return numbers;
}

/** Sets the bits of a layer's barriers, and notes tile numbers that no tileset has, each once. */
function markBarriers(
  layer: TileLayer,
  width: number,
  numbers: Uint8Array,
  barriers: Uint8Array,
  problems: Problems,
): void {
  const unknown = new Map<number, { first: number; count: number }>();
  for (const [index, tile] of layer.tiles.entries()) {
    if (tile === 0) continue;
    const number = tileNumber(tile);
    const is = numbers[number] ?? TILE_UNKNOWN;
    if (is === TILE_UNKNOWN) {
      const seen = unknown.get(number);
      unknown.set(number, { first: seen?.first ?? index, count: (seen?.count ?? 0) + 1 });
    } else if (is === TILE_SOLID || layer.collision) {
      barriers[index >> 3] = (barriers[index >> 3] ?? 0) | (1 << (index & 7));
    }
  }
  for (const [number, { first, count }] of unknown) {
    const more = count > 1 ? ` (and ${count - 1} more like it)` : "";
    problems
      .within(`tile (${first % width}, ${Math.floor(first / width)})`)
      .add(`tile number ${number} is in no tileset${more}`);
  }
}
