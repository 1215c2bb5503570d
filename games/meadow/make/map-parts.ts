import type { Dice } from "./dice.ts";
import type { MapDraft } from "./map-draft.ts";
import { GATE } from "./tile-structures.ts";

/** A house: its north-west corner, roof included, and what its front has, by column. */
export interface House {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Rows of the roof, at least 2; the wall has two more. */
  readonly roofRows: number;
  readonly roof: "red" | "blue" | "straw";
  readonly door: { readonly column: number; readonly tile: "door" | "door-red" | "door-blue" };
  /** Tiles of the wall's upper row, such as `window` or `sign-inn`. */
  readonly front: Readonly<Record<number, string>>;
  readonly chimney?: number;
}

/** Builds a house. */
export function buildHouse(draft: MapDraft, house: House): void {
  const { x, y, width, roofRows, roof } = house;
  const side = (i: number): string => (i === 0 ? "w" : i === width - 1 ? "e" : "");
  for (let row = 0; row < roofRows; row++) {
    const edge = row === 0 ? "n" : row === roofRows - 1 ? "s" : "";
    for (let i = 0; i < width; i++) {
      const layer = row === 0 ? "canopy" : "decoration";
      draft.put(layer, x + i, y + row, `roof-${roof}-${edge + side(i) || "c"}`);
    }
  }
  if (house.chimney !== undefined) draft.put("canopy", x + house.chimney, y + 1, "chimney");
  const wall = y + roofRows;
  for (let i = 0; i < width; i++) {
    const suffix = side(i) === "" ? "" : `-${side(i)}`;
    draft.put("decoration", x + i, wall, house.front[i] ?? `wall-top${suffix}`);
    draft.put("decoration", x + i, wall + 1, `wall-bottom${suffix}`);
  }
  draft.put("decoration", x + house.door.column, wall, `${house.door.tile}-top`);
  draft.put("decoration", x + house.door.column, wall + 1, `${house.door.tile}-bottom`);
  // Nothing grows behind the house, nor before its door.
  draft.reserve(x, y - 1, width, 2);
  draft.reserve(x + house.door.column - 1, wall + 2, 3, 1);
}

/** A fence along the edge of a rectangle of tiles, with gaps at these tiles. */
export function buildFence(
  draft: MapDraft,
  area: { x: number; y: number; width: number; height: number },
  gaps: readonly (readonly [number, number])[],
): void {
  const isGap = (x: number, y: number): boolean => gaps.some(([gx, gy]) => gx === x && gy === y);
  const isFence = (x: number, y: number): boolean => {
    const [i, j] = [x - area.x, y - area.y];
    if (i < 0 || j < 0 || i >= area.width || j >= area.height || isGap(x, y)) return false;
    return i === 0 || j === 0 || i === area.width - 1 || j === area.height - 1;
  };
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let x = area.x; x < area.x + area.width; x++) {
      if (!isFence(x, y)) continue;
      const sides = [isFence(x, y - 1), isFence(x + 1, y), isFence(x, y + 1), isFence(x - 1, y)];
      draft.put("decoration", x, y, `fence-${sides.map(Number).join("")}`);
    }
  }
  for (const [x, y] of gaps) draft.reserve(x - 1, y - 1, 3, 3);
}

/** The town's wall in the rows `y` and `y + 1`, with a gate whose first tower stands in column `gateX`. */
export function buildWall(draft: MapDraft, y: number, gateX: number): void {
  for (let x = 0; x < draft.width; x++) {
    if (x >= gateX && x < gateX + GATE.columns) continue;
    draft.putAll("decoration", x, y, "town-wall", 1, 2);
  }
  const top = y + 2 - GATE.rows;
  draft.putAll("decoration", gateX, top, "gate-tower", GATE.columns, GATE.rows);
  draft.putAll("canopy", gateX, top, "gate-arch", GATE.columns, GATE.rows);
}

/** A bridge over a river: its middle row, and from the first to the last column of its planks. */
export function buildBridge(draft: MapDraft, y: number, from: number, to: number): void {
  for (let x = from; x <= to; x++) {
    const column = x === from ? 0 : x === to ? 2 : 1;
    for (let row = 0; row < 3; row++) {
      const tile = `bridge-${column}-${row}`;
      if (column === 1) {
        draft.putGround(x, y - 1 + row, tile);
      } else {
        draft.putGround(x, y - 1 + row, "path-1111-0");
        draft.put("decoration", x, y - 1 + row, tile);
      }
    }
  }
}

/** Puts things on random free grass of an area until each has its number, or there is no more room. */
export function scatter(
  draft: MapDraft,
  dice: Dice,
  area: { x: number; y: number; width: number; height: number },
  counts: Readonly<Record<string, number>>,
): void {
  for (const [tile, count] of Object.entries(counts)) {
    for (let left = count, tries = count * 8; left > 0 && tries > 0; tries--) {
      const x = area.x + dice.between(0, area.width - 1);
      const y = area.y + dice.between(0, area.height - 1);
      if (draft.plant(tile, x, y)) left -= 1;
    }
  }
}

/** A wood in an ellipse: big trees first, smaller ones between them, thinner towards the edge. */
export function growWood(
  draft: MapDraft,
  dice: Dice,
  wood: {
    readonly x: number;
    readonly y: number;
    readonly rx: number;
    readonly ry: number;
    readonly big: readonly string[];
    readonly small: readonly string[];
    /** How full it is: 1 leaves no room. */
    readonly density: number;
  },
): void {
  const places: [number, number, number][] = [];
  for (let y = Math.floor(wood.y - wood.ry); y <= wood.y + wood.ry; y++) {
    for (let x = Math.floor(wood.x - wood.rx); x <= wood.x + wood.rx; x++) {
      const distance = ((x - wood.x) / wood.rx) ** 2 + ((y - wood.y) / wood.ry) ** 2;
      if (distance <= 1) places.push([x, y, distance]);
    }
  }
  for (const [x, y] of places) {
    if (wood.big.length > 0 && dice.chance(wood.density * 0.16))
      draft.tree(dice.pick(wood.big), x, y);
  }
  for (const [x, y, distance] of places) {
    if (dice.chance(wood.density * (1.05 - distance * 0.7)))
      draft.tree(dice.pick(wood.small), x, y);
  }
  for (const [x, y] of places) {
    if (dice.chance(0.1))
      draft.plant(dice.pick(["bush-0", "bush-1", "mushrooms", "tall-grass-0"]), x, y);
  }
}
