import { createCanvas } from "./canvas.ts";
import type { Canvas } from "./canvas.ts";
import { houseTiles } from "./tile-houses.ts";
import { plantTiles } from "./tile-plants.ts";
import { propTiles } from "./tile-props.ts";
import { structureTiles } from "./tile-structures.ts";
import { TERRAINS, terrainTile, terrainTiles } from "./tile-terrain.ts";
import { TILE } from "./tile.ts";
import type { Tile } from "./tile.ts";

/** Tiles in a row of the sheet. */
export const COLUMNS = 16;

/** The tiles of the tileset; a tile's place in the list is its number. The maps refer to it, so new ones belong at the end. */
export function allTiles(): Tile[] {
  return [...terrainTiles(), ...plantTiles(), ...structureTiles(), ...houseTiles(), ...propTiles()];
}

/** The tiles on one picture, {@link COLUMNS} in a row. */
export function drawSheet(tiles: readonly Tile[]): Canvas {
  const sheet = createCanvas(COLUMNS * TILE, Math.ceil(tiles.length / COLUMNS) * TILE);
  for (const [i, { picture }] of tiles.entries()) {
    sheet.draw(picture, (i % COLUMNS) * TILE, Math.floor(i / COLUMNS) * TILE);
  }
  return sheet;
}

/** The tileset as Tiled's JSON has it, with brushes for the terrains. */
export function describeSheet(tiles: readonly Tile[]): object {
  const rows = Math.ceil(tiles.length / COLUMNS);
  return {
    type: "tileset",
    version: "1.10",
    tiledversion: "1.10.2",
    name: "meadow",
    image: "meadow.png",
    imagewidth: COLUMNS * TILE,
    imageheight: rows * TILE,
    tilewidth: TILE,
    tileheight: TILE,
    tilecount: rows * COLUMNS,
    columns: COLUMNS,
    margin: 0,
    spacing: 0,
    tiles: [...tiles.entries()]
      .filter(([, tile]) => tile.solid)
      .map(([id]) => ({ id, properties: [{ name: "solid", type: "bool", value: true }] })),
    wangsets: [wangSet(tiles)],
  };
}

/** Lets Tiled's terrain brush choose the tiles at the edges. */
function wangSet(tiles: readonly Tile[]): object {
  const ids = new Map(tiles.map((tile, id) => [tile.name, id]));
  const grass = [0, 1, 2].map((n) => ({
    tileid: ids.get(`grass-${n}`),
    wangid: wangId([1, 1, 1, 1]),
  }));
  const edges = TERRAINS.flatMap((terrain, index) =>
    Array.from({ length: 15 }, (_, i) => i + 1).map((bits) => {
      const corners = [(bits >> 3) & 1, (bits >> 2) & 1, (bits >> 1) & 1, bits & 1] as const;
      const colors = corners.map((c) => (c === 1 ? index + 2 : 1));
      return { tileid: ids.get(terrainTile(terrain, corners)), wangid: wangId(colors) };
    }),
  );
  const color = (name: string, tile: string, hex: string): object => ({
    name,
    color: hex,
    probability: 1,
    tile: ids.get(tile),
  });
  return {
    name: "ground",
    type: "corner",
    tile: ids.get("grass-0"),
    colors: [
      color("grass", "grass-0", "#6aa64e"),
      color("path", "path-1111-0", "#c79d69"),
      color("cobble", "cobble-1111-0", "#aea79d"),
      color("sand", "sand-1111-0", "#e6cd94"),
      color("water", "water-1111-0", "#4690c6"),
    ],
    wangtiles: [...grass, ...edges],
  };
}

/** Tiled counts from the top, clockwise: top, top right, right, … Corners are the odd ones. */
function wangId([nw = 0, ne = 0, sw = 0, se = 0]: readonly number[]): number[] {
  return [0, ne, 0, se, 0, sw, 0, nw];
}
