import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { createDice, hash } from "./dice.ts";
import { AUTUMN, BIRCH, CHERRY, LEAF, OAK, PINE, SHADOW, WOOD } from "./palette.ts";
import type { Ramp } from "./palette.ts";
import { cutTiles } from "./tile.ts";
import type { Tile } from "./tile.ts";

/** A round mass of leaves. */
export interface Lobe {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
}

/**
 * Draws masses of leaves, those further down in front, lit from the north-west. `whole` is the ellipse
 * that gives the plant as a whole its light and shade.
 */
export function drawLeaves(
  canvas: Canvas,
  lobes: readonly Lobe[],
  whole: Lobe,
  ramp: Ramp,
  seed: number,
): void {
  for (const lobe of [...lobes].sort((a, b) => a.y + a.ry * 0.3 - (b.y + b.ry * 0.3))) {
    for (let y = Math.floor(lobe.y - lobe.ry); y <= lobe.y + lobe.ry; y++) {
      for (let x = Math.floor(lobe.x - lobe.rx); x <= lobe.x + lobe.rx; x++) {
        const [dx, dy] = [(x + 0.5 - lobe.x) / lobe.rx, (y + 0.5 - lobe.y) / lobe.ry];
        // Leaves stick out of the edge here and there.
        const ragged = (hash(x >> 1, y >> 1, seed) - 0.5) * 0.22;
        const distance = dx * dx + dy * dy;
        if (distance > 1 + ragged) continue;
        const [wx, wy] = [(x - whole.x) / whole.rx, (y - whole.y) / whole.ry];
        const light = -dx * 0.3 - dy * 0.5 - wx * 0.22 - wy * 0.5;
        const leaf = (hash(x >> 1, y, seed + 1) - 0.5) * 0.34;
        canvas.set(x, y, shade(ramp, light + leaf, distance > 0.82 && dy > -0.15));
      }
    }
  }
}

/** A colour of a ramp for how light it is, -1 to 1; rims are a step darker. */
export function shade(ramp: Ramp, light: number, isRim: boolean): Color {
  const level = light > 0.62 ? 4 : light > 0.24 ? 3 : light > -0.14 ? 2 : light > -0.52 ? 1 : 0;
  return ramp[isRim ? Math.max(0, level - 1) : level] as Color;
}

/** The shadow at the foot of something. */
export function shadow(canvas: Canvas, x: number, y: number, rx: number, ry: number): void {
  canvas.ellipse(x, y, rx, ry, SHADOW, 70);
}

/** A trunk, lit from the west. */
export function trunk(
  canvas: Canvas,
  x: number,
  top: number,
  bottom: number,
  width: number,
  ramp: Ramp,
): void {
  for (let y = top; y < bottom; y++) {
    // The foot spreads into roots.
    const spread = Math.max(0, 4 - (bottom - y)) * (width > 6 ? 1 : 0.5);
    const [from, to] = [Math.round(x - width / 2 - spread), Math.round(x + width / 2 + spread)];
    for (let i = from; i < to; i++) {
      const side = (i - from) / Math.max(1, to - from - 1);
      const bark = hash(i, y >> 2, 5) > 0.72 ? 1 : 0;
      const level = side < 0.25 ? 3 : side < 0.6 ? 2 : side < 0.85 ? 1 : 0;
      canvas.set(i, y, ramp[Math.max(0, level - bark)] as Color);
    }
    canvas.set(from - 1, y, mix(ramp[0], 0, 0.35));
    canvas.set(to, y, mix(ramp[0], 0, 0.35));
  }
}

/** The two pictures of a tree: what stands on the ground, and what hangs above the heads of characters. */
interface Tree {
  readonly name: string;
  readonly base: Canvas;
  readonly crown: Canvas;
  /** The solid tile among those of the base. */
  readonly trunk: readonly [column: number, row: number];
}

function bigTree(name: string, ramp: Ramp, seed: number): Tree {
  const [base, crown] = [createCanvas(96, 96), createCanvas(96, 96)];
  shadow(base, 48, 86, 34, 9);
  trunk(base, 48, 64, 90, 13, WOOD);
  const dice = createDice(seed);
  const lobes: Lobe[] = [{ x: 48, y: 40, rx: 33, ry: 27 }];
  for (let n = 0; n < 11; n++) {
    const angle = (n / 11) * Math.PI * 2;
    const [x, y] = [48 + Math.cos(angle) * 28, 39 + Math.sin(angle) * 22];
    lobes.push({ x, y, rx: dice.between(12, 16), ry: dice.between(11, 14) });
  }
  for (let n = 0; n < 7; n++) {
    lobes.push({
      x: dice.between(26, 70),
      y: dice.between(20, 52),
      rx: dice.between(10, 15),
      ry: dice.between(9, 12),
    });
  }
  const whole = { x: 48, y: 38, rx: 46, ry: 40 };
  drawLeaves(crown, lobes, whole, ramp, seed);
  crown.outline(mix(ramp[0], 0x101828, 0.45));
  return { name, base, crown, trunk: [1, 2] };
}

function smallTree(name: string, ramp: Ramp, bark: Ramp, seed: number): Tree {
  const [base, crown] = [createCanvas(32, 64), createCanvas(32, 64)];
  shadow(base, 16, 58, 12, 4.5);
  trunk(base, 16, 40, 60, 5, bark);
  const dice = createDice(seed);
  const lobes: Lobe[] = [{ x: 16, y: 25, rx: 12, ry: 17 }];
  for (let n = 0; n < 7; n++) {
    const angle = (n / 7) * Math.PI * 2 + 0.4;
    const [x, y] = [16 + Math.cos(angle) * 7, 25 + Math.sin(angle) * 13];
    lobes.push({ x, y, rx: dice.between(6, 7), ry: dice.between(6, 8) });
  }
  drawLeaves(crown, lobes, { x: 16, y: 24, rx: 16, ry: 24 }, ramp, seed);
  crown.outline(mix(ramp[0], 0x101828, 0.45));
  return { name, base, crown, trunk: [0, 1] };
}

/** A fir: skirts of needles, each wider than the one above. */
function fir(name: string, ramp: Ramp, seed: number): Tree {
  const [base, crown] = [createCanvas(32, 64), createCanvas(32, 64)];
  shadow(base, 16, 58, 13, 4.5);
  trunk(base, 16, 48, 60, 5, WOOD);
  const skirts = [
    { top: 30, bottom: 54, half: 14.5 },
    { top: 20, bottom: 42, half: 12 },
    { top: 10, bottom: 30, half: 9 },
    { top: 2, bottom: 18, half: 6 },
  ];
  for (const { top, bottom, half } of skirts) {
    for (let y = top; y < bottom; y++) {
      const share = (y - top + 1) / (bottom - top);
      const width = half * share ** 0.85;
      for (let x = Math.floor(16 - width); x < 16 + width; x++) {
        const side = (x + 0.5 - 16) / width;
        // The lower edge is jagged.
        const hem =
          bottom - 1 - Math.abs(side) ** 2 * 3 - (hash(x >> 1, bottom, seed) > 0.5 ? 2 : 0);
        if (y > hem) continue;
        const light = -side * 0.55 - share * 0.75 + 0.5 + (hash(x >> 1, y, seed) - 0.5) * 0.4;
        crown.set(x, y, shade(ramp, light, y > hem - 2));
      }
    }
  }
  crown.outline(mix(ramp[0], 0x101828, 0.4));
  return { name, base, crown, trunk: [0, 1] };
}

/** The trees: name, columns and rows of their pictures. */
export const TREES: Readonly<Record<string, { columns: number; rows: number }>> = {
  oak: { columns: 3, rows: 3 },
  cherry: { columns: 3, rows: 3 },
  maple: { columns: 3, rows: 3 },
  fir: { columns: 1, rows: 2 },
  "fir-dark": { columns: 1, rows: 2 },
  birch: { columns: 1, rows: 2 },
  sapling: { columns: 1, rows: 2 },
};

const BIRCH_BARK: Ramp = [0x6f6a66, 0xa8a29a, 0xd5d0c4, 0xece8dc, 0xffffff];

/** All tiles of trees: `oak-base-1-2` is the column 1, row 2 of what stands on the ground, `oak-crown-…` what is above. */
export function treeTiles(): Tile[] {
  const trees = [
    bigTree("oak", OAK, 11),
    bigTree("cherry", CHERRY, 12),
    bigTree("maple", AUTUMN, 13),
    fir("fir", PINE, 14),
    fir("fir-dark", PINE.map((c) => mix(c, 0x14304a, 0.25)) as unknown as Ramp, 15),
    smallTree("birch", BIRCH, BIRCH_BARK, 16),
    smallTree("sapling", LEAF, WOOD, 17),
  ];
  return trees.flatMap(({ name, base, crown, trunk: [column, row] }) => [
    ...cutTiles(`${name}-base`, base, (x, y) => x === column && y === row),
    ...cutTiles(`${name}-crown`, crown, () => false),
  ]);
}
