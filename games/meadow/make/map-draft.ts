import type { Dice } from "./dice.ts";
import { createFinder } from "./map-finder.ts";
import { allTiles } from "./tile-sheet.ts";
import { TREES } from "./tile-trees.ts";
import { FULL_VARIANTS, GRASS_VARIANTS, terrainTile } from "./tile-terrain.ts";
import { TILE } from "./tile.ts";
import type { Terrain } from "./tile-terrain.ts";

/** The layers of tiles, the lowest first. What is in `canopy` is drawn above characters. */
export const LAYERS = ["ground", "paving", "decoration", "canopy"] as const;
export type LayerName = (typeof LAYERS)[number];

/** The bit of a tile number that mirrors the tile left to right. */
const MIRRORED = 0x8000_0000;

type Value = string | number | boolean;

/** Something for an object layer; places are in tiles. */
export interface Thing {
  readonly layer: "objects" | "spawns" | "portals";
  readonly name: string;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly width?: number;
  readonly height?: number;
  readonly properties: Readonly<Record<string, Value>>;
}

/** A map in the making. Columns and rows count from 0 at the north-west. */
export interface MapDraft {
  readonly width: number;
  readonly height: number;
  /** Lays a terrain so that these tiles are full of it; its edges lie on the tiles around. */
  lay(terrain: Terrain, x: number, y: number, width: number, height: number): void;
  /** Lays a round patch of a terrain. */
  layRound(terrain: Terrain, x: number, y: number, rx: number, ry: number): void;
  /** Lays a terrain along a line, `breadth` tiles wide. */
  layAlong(terrain: Terrain, points: readonly (readonly [number, number])[], breadth: number): void;
  /** Puts a tile by its name. Throws an error for a name that the tileset does not have. */
  put(layer: LayerName, x: number, y: number, tile: string): void;
  /** Puts a picture of several tiles, as far as the tileset has them. */
  putAll(layer: LayerName, x: number, y: number, name: string, columns: number, rows: number): void;
  /** Replaces the ground's own tile. */
  putGround(x: number, y: number, tile: string): void;
  /** Puts a tree whose trunk stands here; false when there is no room. */
  tree(kind: string, x: number, y: number): boolean;
  /** Puts a tile of decoration on free grass; false when there is none. */
  plant(tile: string, x: number, y: number): boolean;
  /** Keeps tiles free of what grows. */
  reserve(x: number, y: number, width: number, height: number): void;
  add(thing: Thing): void;
  /** Puts bushes where nobody can get to from here, so that no free tile is out of reach. */
  closePockets(x: number, y: number, dice: Dice): void;
  /** The map as text in Tiled's format. */
  toText(): string;
}

/** An empty map of grass. */
export function createMapDraft(options: { width: number; height: number; dice: Dice }): MapDraft {
  const { width, height, dice } = options;
  const tiles = allTiles();
  const ids = new Map(tiles.map((tile, id) => [tile.name, id + 1]));
  const corners = new Map<string, Terrain>();
  const layers = new Map(
    LAYERS.map((name) => [name, Array.from({ length: width * height }, () => 0)]),
  );
  const ground = new Map<number, number>();
  const reserved = new Set<number>();
  const things: Thing[] = [];

  const isInside = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height;
  const idOf = (name: string): number => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`there is no tile ${name}`);
    return id;
  };
  const tileAt = (layer: LayerName, x: number, y: number): number =>
    layers.get(layer)?.[y * width + x] ?? 0;
  const set = (layer: LayerName, x: number, y: number, id: number): void => {
    const list = layers.get(layer);
    if (list !== undefined && isInside(x, y)) list[y * width + x] = id;
  };
  const cornersOf = (x: number, y: number): (Terrain | undefined)[] =>
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ].map(([dx = 0, dy = 0]) => corners.get(`${x + dx},${y + dy}`));
  const isFree = (x: number, y: number): boolean =>
    isInside(x, y) &&
    !reserved.has(y * width + x) &&
    tileAt("decoration", x, y) === 0 &&
    cornersOf(x, y).every((c) => c === undefined);
  const bits = (list: readonly (Terrain | undefined)[], ...of: Terrain[]) =>
    list.map((c) => (c !== undefined && of.includes(c) ? 1 : 0)) as unknown as [
      number,
      number,
      number,
      number,
    ];

  /** Chooses the tiles of ground and paving for what the four corners of each tile have. */
  function resolveGround(): void {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const around = cornersOf(x, y);
        // Most grass is plain.
        const grass = dice.chance(0.55) ? 0 : dice.between(1, GRASS_VARIANTS - 1);
        const variant = dice.chance(0.6) ? 0 : dice.between(1, FULL_VARIANTS - 1);
        let name = `grass-${grass}`;
        for (const terrain of ["sand", "path", "water"] as const) {
          if (!around.includes(terrain)) continue;
          const also: Terrain[] = terrain === "path" ? ["cobble"] : [];
          name = terrainTile(terrain, bits(around, terrain, ...also), variant);
        }
        set("ground", x, y, ground.get(y * width + x) ?? idOf(name));
        if (around.includes("cobble")) {
          set("paving", x, y, idOf(terrainTile("cobble", bits(around, "cobble"), variant)));
        }
      }
    }
  }

  const draft: MapDraft = {
    width,
    height,
    lay(terrain, x, y, w, h) {
      for (let j = y; j <= y + h; j++) {
        for (let i = x; i <= x + w; i++) corners.set(`${i},${j}`, terrain);
      }
    },
    layRound(terrain, cx, cy, rx, ry) {
      for (let y = Math.floor(cy - ry); y <= cy + ry; y++) {
        for (let x = Math.floor(cx - rx); x <= cx + rx; x++) {
          if (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1) corners.set(`${x},${y}`, terrain);
        }
      }
    },
    layAlong(terrain, points, breadth) {
      for (const [i, [x, y]] of points.entries()) {
        const [nx, ny] = points[i + 1] ?? [x, y];
        const steps = Math.max(1, Math.ceil(Math.hypot(nx - x, ny - y) * 2));
        for (let s = 0; s <= steps; s++) {
          const [px, py] = [x + ((nx - x) * s) / steps, y + ((ny - y) * s) / steps];
          const from = -breadth / 2;
          for (let j = Math.round(py + from); j <= Math.round(py - from); j++) {
            for (let k = Math.round(px + from); k <= Math.round(px - from); k++) {
              corners.set(`${k},${j}`, terrain);
            }
          }
        }
      }
    },
    put: (layer, x, y, tile) => set(layer, x, y, idOf(tile)),
    putAll(layer, x, y, name, columns, rows) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const id = ids.get(`${name}-${column}-${row}`);
          if (id !== undefined) set(layer, x + column, y + row, id);
        }
      }
    },
    putGround: (x, y, tile) => void ground.set(y * width + x, idOf(tile)),
    tree(kind, x, y) {
      const size = TREES[kind];
      if (size === undefined) throw new Error(`there is no tree ${kind}`);
      const left = x - Math.floor(size.columns / 2);
      const top = y - size.rows + 1;
      for (let i = 0; i < size.columns; i++) {
        if (!isFree(left + i, y)) return false;
        for (let j = 0; j < size.rows; j++) {
          const hasPart = ids.has(`${kind}-crown-${i}-${j}`);
          if (hasPart && tileAt("canopy", left + i, top + j) !== 0) return false;
        }
      }
      draft.putAll("decoration", left, top, `${kind}-base`, size.columns, size.rows);
      draft.putAll("canopy", left, top, `${kind}-crown`, size.columns, size.rows);
      return true;
    },
    plant(tile, x, y) {
      if (!isFree(x, y)) return false;
      // What grows low may be mirrored: its light comes from above.
      const isMirrored = /^(flowers|tall-grass)/.test(tile) && dice.chance(0.5);
      set("decoration", x, y, isMirrored ? (idOf(tile) | MIRRORED) >>> 0 : idOf(tile));
      return true;
    },
    reserve(x, y, w, h) {
      for (let j = y; j < y + h; j++) {
        for (let i = x; i < x + w; i++) if (isInside(i, j)) reserved.add(j * width + i);
      }
    },
    add(thing) {
      things.push(thing);
      if (thing.layer === "objects") draft.reserve(Math.floor(thing.x), Math.floor(thing.y), 1, 1);
    },
    closePockets(x, y, pocketDice) {
      resolveGround();
      const isSolid = (i: number, j: number): boolean =>
        LAYERS.some((layer) => tiles[(tileAt(layer, i, j) & ~MIRRORED) - 1]?.solid === true);
      const reached = createFinder({ width, height, isBlocked: isSolid }).from(x, y);
      for (let j = 0; j < height; j++) {
        for (let i = 0; i < width; i++) {
          if (reached.has(j * width + i) || isSolid(i, j)) continue;
          set("decoration", i, j, idOf(pocketDice.pick(["bush-0", "bush-1", "bush-berries"])));
        }
      }
    },
    toText: () => toTiled(width, height, layers, things),
  };
  return draft;
}

function toTiled(
  width: number,
  height: number,
  layers: ReadonlyMap<LayerName, number[]>,
  things: readonly Thing[],
): string {
  const data = new Map<string, string>();
  const tileLayers = [...layers].map(([name, tiles], i) => {
    const rows = Array.from({ length: height }, (_, y) =>
      tiles.slice(y * width, (y + 1) * width).join(","),
    );
    data.set(`"rows of ${name}"`, `[\n${rows.join(",\n")}]`);
    const rest = { opacity: 1, visible: true, x: 0, y: 0, width, height };
    return { id: i + 1, name, type: "tilelayer", ...rest, data: `rows of ${name}` };
  });
  const objects = things.map((thing, i) => ({
    layer: thing.layer,
    object: toObject(thing, i + 1),
  }));
  const objectLayers = (["objects", "spawns", "portals"] as const).map((name, i) => ({
    id: tileLayers.length + i + 1,
    name,
    type: "objectgroup",
    draworder: "topdown",
    opacity: 1,
    visible: true,
    x: 0,
    y: 0,
    objects: objects.filter((o) => o.layer === name).map((o) => o.object),
  }));
  const map = {
    type: "map",
    version: "1.10",
    tiledversion: "1.10.2",
    orientation: "orthogonal",
    renderorder: "right-down",
    infinite: false,
    compressionlevel: -1,
    width,
    height,
    tilewidth: TILE,
    tileheight: TILE,
    nextlayerid: tileLayers.length + objectLayers.length + 1,
    nextobjectid: things.length + 1,
    tilesets: [{ firstgid: 1, source: "../tiles/meadow.tsj" }],
    layers: [...tileLayers, ...objectLayers],
  };
  let text = JSON.stringify(map, undefined, 1);
  // A row of the map in a line, as Tiled itself writes it.
  for (const [mark, rows] of data) text = text.replace(mark, rows);
  return `${text}\n`;
}

function toObject(thing: Thing, id: number): object {
  const { name, kind, x, y, width = 0, height = 0 } = thing;
  const properties = Object.entries(thing.properties).map(([key, value]) => ({
    name: key,
    type:
      typeof value === "string"
        ? "string"
        : typeof value === "boolean"
          ? "bool"
          : typeOfNumber(key, value),
    value,
  }));
  return {
    id,
    name,
    type: kind,
    x: x * TILE,
    y: y * TILE,
    width: width * TILE,
    height: height * TILE,
    rotation: 0,
    visible: true,
    ...(width === 0 ? { point: true } : {}),
    ...(properties.length > 0 ? { properties } : {}),
  };
}

function typeOfNumber(key: string, value: number): string {
  return Number.isInteger(value) && key === "count" ? "int" : "float";
}
