import type { Color, Style } from "../terminal/paint.ts";

/** How a tile looks in a terminal: two columns, which together are about as wide as high. */
export interface TileLook {
  readonly glyph: string;
  /** The glyph where the tile cannot be walked on. Without one it is that of any barrier. */
  readonly blocked?: string;
  readonly style: Style;
}

const shade = (glyph: string, color: Color, background: Color, blocked?: string): TileLook => ({
  glyph,
  style: { color, background },
  ...(blocked !== undefined && { blocked }),
});

/** Outside of the map. */
export const NOTHING: TileLook = { glyph: "  ", style: {} };
/** What can be walked on and has no look of its own. */
export const FLOOR: TileLook = shade(" .", [244, 7], [235, 0]);
/** What cannot be walked on and has no look of its own. */
export const BARRIER: TileLook = shade("##", [250, 7], [240, 8]);
/** A way to another zone. */
export const PORTAL: TileLook = {
  glyph: "<>",
  style: { color: [231, 15], background: [27, 12], bold: true },
};

const GRASS = shade("  ", [71, 10], [64, 2]);
const BLADES = shade(" '", [107, 10], [64, 2]);
const PATH = shade("  ", [180, 11], [179, 3]);
const COBBLE = shade("  ", [252, 15], [248, 7]);
const SAND = shade("  ", [223, 11], [222, 11]);
const WATER = shade("~ ", [117, 14], [32, 4], "~~");
const TREE = shade("  ", [34, 10], [22, 2], "/\\");
const CHERRY = shade("  ", [225, 15], [175, 5], "/\\");
const MAPLE = shade("  ", [223, 11], [166, 1], "/\\");
const BUSH = shade("  ", [150, 10], [28, 2], "oo");
const FLOWERS = shade("* ", [218, 13], [64, 2]);
const TALL_GRASS = shade('""', [148, 10], [64, 2]);
const BOULDER = shade("  ", [252, 7], [243, 8], "()");
const CROPS = shade("::", [185, 11], [94, 3]);
const FENCE = shade("  ", [130, 3], [64, 2], "++");
const WALL = shade("  ", [250, 7], [241, 8], "##");
const HOUSE = shade("  ", [95, 1], [187, 7], "||");
const ROOF_RED = shade("  ", [174, 9], [124, 1], "^^");
const ROOF_BLUE = shade("  ", [110, 12], [25, 4], "^^");
const ROOF_STRAW = shade("  ", [229, 11], [172, 3], "^^");
const BRIDGE = shade("==", [222, 11], [137, 3]);
const GOODS = shade("  ", [223, 11], [94, 3], "[]");

/** The looks of a tileset by the numbers of its tiles: each entry goes from its number to the next one's. */
type Looks = readonly (readonly [from: number, look: TileLook | undefined])[];

/** The tileset of the default world. The 14 tiles at a terrain's edges have a bit for each of their corners that is of it. */
const MEADOW: Looks = [
  [0, GRASS],
  [1, BLADES],
  [2, GRASS],
  [4, BLADES],
  [5, GRASS],
  ...edges(6, PATH),
  [20, PATH],
  ...edges(23, COBBLE),
  [37, COBBLE],
  ...edges(40, SAND),
  [54, SAND],
  ...edges(57, WATER),
  [71, WATER],
  [74, TREE],
  [86, CHERRY],
  [98, MAPLE],
  [110, TREE],
  [122, BUSH],
  [126, FLOWERS],
  [131, TALL_GRASS],
  [133, BOULDER],
  [135, undefined],
  [136, GOODS],
  [137, FLOWERS],
  [138, WATER],
  [139, TALL_GRASS],
  [140, CROPS],
  [142, FENCE],
  [158, WALL],
  [168, COBBLE],
  [185, PORTAL],
  [186, BRIDGE],
  [195, WATER],
  [196, HOUSE],
  [212, ROOF_RED],
  [221, ROOF_BLUE],
  [230, ROOF_STRAW],
  [239, undefined],
  [240, GOODS],
  [250, ROOF_RED],
  [256, ROOF_BLUE],
  [262, undefined],
];

/** The tilesets that are known by name. Maps of others show floors and barriers. */
const TILESETS: ReadonlyMap<string, Looks> = new Map([["meadow", MEADOW]]);

/** The look of a tile, counted from the first of its tileset. Undefined: it has none of its own. */
export function tileLook(tileset: string, tile: number): TileLook | undefined {
  return TILESETS.get(tileset)?.findLast(([from]) => from <= tile)?.[1];
}

/** A tile whose corners are mostly of the terrain looks like it, the others like grass. */
function edges(first: number, terrain: TileLook): [number, TileLook][] {
  return Array.from({ length: 14 }, (_, index) => {
    const corners = (index + 1).toString(2).replaceAll("0", "").length;
    return [first + index, corners >= 2 ? terrain : GRASS];
  });
}
