import type { TileLayer, Tileset, ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { BARRIER, FLOOR, NOTHING, PORTAL, tileLook } from "./tile-looks.ts";
import type { TileLook } from "./tile-looks.ts";

/** The highest three bits of a tile's number turn it. */
const TILE_NUMBER = 0x1fff_ffff;

/** How the ground of a zone looks, tile by tile. */
export interface Terrain {
  readonly width: number;
  readonly height: number;
  /** The look of a tile; of nothing outside the map. */
  at(x: number, y: number): TileLook;
}

/** Reads a map. Work is done for the tiles that are asked for, and once each. */
export function createTerrain(map: ZoneMap): Terrain {
  const { width, height, barriers } = map;
  const known = new Map<number, TileLook>();
  const tilesets = map.tilesets.toSorted((a, b) => b.firstTile - a.firstTile);
  const topFirst = map.layers.toReversed();
  const portals = new Set<number>();
  for (const { region } of map.portals) {
    if (region === undefined) continue;
    for (let row = 0; row < region.height; row++) {
      for (let column = 0; column < region.width; column++) {
        portals.add((region.y + row) * width + region.x + column);
      }
    }
  }

  const look = (index: number): TileLook => {
    if (portals.has(index)) return PORTAL;
    const isBarrier = (((barriers[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
    const seen = lookOfLayers(topFirst, tilesets, index);
    if (!isBarrier) return seen ?? FLOOR;
    return seen?.blocked ? { ...seen, glyph: seen.blocked } : { ...BARRIER, ...onlyColors(seen) };
  };

  return {
    width,
    height,
    at(x, y) {
      if (x < 0 || y < 0 || x >= width || y >= height) return NOTHING;
      const index = y * width + x;
      const found = known.get(index) ?? look(index);
      known.set(index, found);
      return found;
    },
  };
}

/** The look of the topmost tile that has one. */
function lookOfLayers(
  topFirst: readonly TileLayer[],
  tilesets: readonly Tileset[],
  index: number,
): TileLook | undefined {
  for (const { tiles } of topFirst) {
    const tile = (tiles[index] ?? 0) & TILE_NUMBER;
    if (tile === 0) continue;
    const tileset = tilesets.find(({ firstTile }) => firstTile <= tile);
    const found = tileset && tileLook(tileset.name, tile - tileset.firstTile);
    if (found) return found;
  }
  return undefined;
}

function onlyColors(look: TileLook | undefined): Partial<TileLook> {
  return look?.style.background ? { style: { ...BARRIER.style, ...look.style } } : {};
}
