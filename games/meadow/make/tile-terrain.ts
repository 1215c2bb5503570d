import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { createDice, hash, smoothNoise } from "./dice.ts";
import { DIRT, GRASS, SAND, STONE, WATER } from "./palette.ts";
import { TILE } from "./tile.ts";
import type { Tile } from "./tile.ts";

/** A ground whose edges are drawn for every combination of the four corners of a tile. */
export type Terrain = "path" | "cobble" | "sand" | "water";

/** The terrains, in the order in which the tileset has them. */
export const TERRAINS: readonly Terrain[] = ["path", "cobble", "sand", "water"];
/** How many different tiles there are of grass, and of a terrain where all four corners have it. */
export const GRASS_VARIANTS = 6;
export const FULL_VARIANTS = 3;

/** Corners north-west, north-east, south-west, south-east. */
type Corners = readonly [number, number, number, number];

/** The name of a terrain's tile: `path-0011` has the terrain at its two southern corners. */
export function terrainTile(terrain: Terrain, corners: Corners, variant = 0): string {
  const full = corners.every((c) => c === 1);
  return `${terrain}-${corners.join("")}${full ? `-${variant}` : ""}`;
}

/** Grass, and all tiles of the terrains. Water is solid where at least two corners have it. */
export function terrainTiles(): Tile[] {
  const tiles: Tile[] = [];
  for (let variant = 0; variant < GRASS_VARIANTS; variant++) {
    tiles.push({ name: `grass-${variant}`, picture: grass(variant), solid: false });
  }
  for (const terrain of TERRAINS) {
    for (let bits = 1; bits < 16; bits++) {
      const corners: Corners = [(bits >> 3) & 1, (bits >> 2) & 1, (bits >> 1) & 1, bits & 1];
      const solid = terrain === "water" && corners.reduce((a, b) => a + b, 0) >= 2;
      const variants = bits === 15 ? FULL_VARIANTS : 1;
      for (let variant = 0; variant < variants; variant++) {
        const picture = drawTerrain(terrain, corners, variant);
        tiles.push({ name: terrainTile(terrain, corners, variant), picture, solid });
      }
    }
  }
  return tiles;
}

/** A pixel of grass; broad patches of two greens that fit together at all edges. */
function grassAt(x: number, y: number): Color {
  const patch = smoothNoise(x, y, 16, TILE, 3) * 0.7 + smoothNoise(x, y, 8, TILE, 4) * 0.3;
  return patch > 0.56 ? mix(GRASS[2], GRASS[3], 0.35) : GRASS[2];
}

/** Plain grass with blades; the higher the variant, the more of them. */
export function grass(variant: number): Canvas {
  const canvas = createCanvas(TILE, TILE);
  fill(canvas, grassAt);
  const dice = createDice(40 + variant);
  for (let n = 0; n < 3 + variant * 2; n++) {
    const [x, y] = [dice.between(2, 28), dice.between(3, 29)];
    if (dice.chance(0.65)) blades(canvas, x, y, dice.chance(0.5));
    else canvas.rect(x, y, 2, 1, GRASS[4], 130);
  }
  return canvas;
}

function blades(canvas: Canvas, x: number, y: number, isWide: boolean): void {
  canvas.set(x, y, GRASS[1]);
  canvas.set(x, y - 1, GRASS[1]);
  canvas.set(x + 2, y, GRASS[1]);
  canvas.set(x + 1, y - 1, GRASS[3]);
  canvas.set(x + 1, y, GRASS[0], 150);
  if (isWide) {
    canvas.set(x + 3, y - 1, GRASS[1]);
    canvas.set(x - 1, y - 1, GRASS[4]);
  }
}

function fill(canvas: Canvas, color: (x: number, y: number) => Color): void {
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) canvas.set(x, y, color(x, y));
  }
}

/** How much of the terrain is at a pixel: more than 0.5 is inside, 0.5 the edge. */
function fieldOf([nw, ne, sw, se]: Corners, terrain: Terrain): (x: number, y: number) => number {
  const seed = TERRAINS.indexOf(terrain) * 10;
  return (x, y) => {
    const [u, v] = [(x + 0.5) / TILE, (y + 0.5) / TILE];
    const top = nw * (1 - u) + ne * u;
    const bottom = sw * (1 - u) + se * u;
    const wobble =
      (smoothNoise(x, y, 8, TILE, seed + 1) - 0.5) * 0.22 +
      (smoothNoise(x, y, 4, TILE, seed + 2) - 0.5) * 0.1;
    const flat = top * (1 - v) + bottom * v;
    // No wobble where the terrain, or the grass, is all around: there the noise would make holes.
    return flat + wobble * Math.min(1, 4 * flat * (1 - flat) * 1.6);
  };
}

function drawTerrain(terrain: Terrain, corners: Corners, variant: number): Canvas {
  // Cobbles are drawn over whatever is below, the others together with the grass.
  const canvas = terrain === "cobble" ? createCanvas(TILE, TILE) : grass(0);
  const field = fieldOf(corners, terrain);
  const draw = { path: drawPath, cobble: drawCobble, sand: drawSand, water: drawWater }[terrain];
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const depth = field(x, y) - 0.5;
      const slope = field(x, y + 2) - field(x, y - 2);
      draw(canvas, x, y, depth, slope);
    }
  }
  if (corners.every((c) => c === 1)) sprinkle(canvas, terrain, variant);
  return canvas;
}

type DrawPixel = (canvas: Canvas, x: number, y: number, depth: number, slope: number) => void;

const drawPath: DrawPixel = (canvas, x, y, depth, slope) => {
  if (depth < -0.05) return;
  if (depth < 0) {
    canvas.set(x, y, slope > 0 ? GRASS[0] : GRASS[1]);
    return;
  }
  const grain = smoothNoise(x, y, 8, TILE, 31) * 0.6 + smoothNoise(x, y, 4, TILE, 32) * 0.4;
  const rim = depth < 0.06 ? DIRT[1] : depth < 0.13 ? mix(DIRT[1], DIRT[2], 0.6) : undefined;
  canvas.set(
    x,
    y,
    rim ??
      (grain > 0.6
        ? mix(DIRT[2], DIRT[3], 0.55)
        : grain < 0.33
          ? mix(DIRT[2], DIRT[1], 0.16)
          : DIRT[2]),
  );
};

const drawSand: DrawPixel = (canvas, x, y, depth) => {
  if (depth < 0) return;
  const grain = smoothNoise(x, y, 8, TILE, 41);
  const ripple = Math.sin((y + Math.sin((x * Math.PI) / 16) * 2) * (Math.PI / 8)) > 0.9;
  const color =
    depth < 0.07 ? SAND[1] : ripple && grain > 0.5 ? SAND[1] : grain > 0.62 ? SAND[3] : SAND[2];
  canvas.set(x, y, color);
};

const drawWater: DrawPixel = (canvas, x, y, depth, slope) => {
  const bank = slope > 0.03;
  if (depth < -0.12) return;
  if (depth < 0) {
    if (bank) canvas.set(x, y, depth > -0.07 ? DIRT[1] : GRASS[1]);
    else canvas.set(x, y, depth > -0.09 ? SAND[2] : GRASS[1]);
    return;
  }
  if (bank && depth < 0.09) {
    canvas.set(x, y, depth < 0.045 ? DIRT[0] : mix(DIRT[0], WATER[0], 0.5));
    return;
  }
  canvas.set(x, y, waterAt(x, y, depth));
};

function waterAt(x: number, y: number, depth: number): Color {
  if (depth < 0.05) return WATER[4];
  if (depth < 0.13) return WATER[3];
  const wave = smoothNoise(x, y * 2, 8, TILE, 51);
  const base = depth < 0.3 ? mix(WATER[2], WATER[3], 0.25) : WATER[2];
  return wave > 0.66 ? mix(base, WATER[3], 0.25) : wave < 0.3 ? mix(base, WATER[1], 0.35) : base;
}

/** Where the stones of the cobbles are: jittered rows that repeat with the tile. */
const STONES = Array.from({ length: 5 * 5 }, (_, i) => {
  const [column, row] = [i % 5, Math.floor(i / 5)];
  const [jx, jy] = [hash(column, row, 61) - 0.5, hash(column, row, 62) - 0.5];
  return {
    x: (column + 0.5 + (row % 2) * 0.5 + jx * 0.45) * (TILE / 5),
    y: (row + 0.5 + jy * 0.4) * (TILE / 5),
    tone: hash(column, row, 63),
  };
});

const drawCobble: DrawPixel = (canvas, x, y, depth) => {
  if (depth < -0.04) return;
  if (depth < 0) {
    canvas.set(x, y, 0x57554f, 120);
    return;
  }
  const near = STONES.map((stone) => {
    const dx = wrap(x + 0.5 - stone.x);
    const dy = wrap(y + 0.5 - stone.y);
    return { stone, dx, dy, distance: Math.hypot(dx, dy * 1.12) };
  }).sort((a, b) => a.distance - b.distance);
  const [first, second] = near;
  if (first === undefined || second === undefined) return;
  const gap = second.distance - first.distance;
  canvas.set(x, y, cobbleColor(gap, first.dx + first.dy, first.stone.tone, depth));
};

const MORTAR: Color = 0x817a72;
const COBBLES: readonly Color[] = [0xa69f97, 0xaea79d, 0xb5aea3, 0xa8a3a0, 0xb3a999];

function cobbleColor(gap: number, side: number, tone: number, depth: number): Color {
  const stone = COBBLES[Math.floor(tone * COBBLES.length)] ?? MORTAR;
  if (gap < 1.1) return depth < 0.1 ? 0x6b675f : MORTAR;
  const shaded =
    gap < 2.6
      ? side < -1
        ? mix(stone, 0xe2ddd0, 0.5)
        : side > 1.5
          ? mix(stone, MORTAR, 0.45)
          : stone
      : stone;
  return depth < 0.08 ? mix(shaded, MORTAR, 0.4) : shaded;
}

function wrap(distance: number): number {
  return distance - Math.round(distance / TILE) * TILE;
}

/** Small things on a terrain's full tiles, so that wide areas do not look like a grid. */
function sprinkle(canvas: Canvas, terrain: Terrain, variant: number): void {
  const dice = createDice(70 + variant * 7 + TERRAINS.indexOf(terrain));
  for (let n = 0; n < variant * 2 + 1; n++) {
    const [x, y] = [dice.between(3, 27), dice.between(3, 28)];
    switch (terrain) {
      case "path":
        canvas.rect(x, y, 2, 1, DIRT[4]);
        canvas.rect(x, y + 1, 2, 1, DIRT[1]);
        break;
      case "cobble":
        if (variant === 2) canvas.rect(x, y, 2, 1, GRASS[2], 170);
        break;
      case "sand":
        canvas.set(x, y, n % 3 === 0 ? STONE[4] : SAND[4]);
        canvas.set(x + 1, y, SAND[1]);
        break;
      case "water":
        canvas.rect(x, y, 5, 1, WATER[3]);
        canvas.rect(x + 1, y - 1, 2, 1, WATER[4], 170);
        canvas.rect(x + 2, y + 1, 4, 1, WATER[1], 150);
        break;
    }
  }
}
