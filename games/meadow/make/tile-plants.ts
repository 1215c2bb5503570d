import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { createDice, hash } from "./dice.ts";
import { AUTUMN, BIRCH, CHERRY, DIRT, GOLD, LEAF, OAK, PINE, SCARLET, SHADOW, STONE, VIOLET, WOOD } from "./palette.ts";
import type { Ramp } from "./palette.ts";
import { TILE } from "./tile-terrain.ts";
import type { Tile } from "./tile-terrain.ts";

/** A round mass of leaves. */
interface Lobe {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
}

/**
 * Draws masses of leaves, those further down in front, lit from the north-west. `whole` is the ellipse
 * that gives the plant as a whole its light and shade.
 */
export function drawLeaves(canvas: Canvas, lobes: readonly Lobe[], whole: Lobe, ramp: Ramp, seed: number): void {
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

function shade(ramp: Ramp, light: number, isRim: boolean): Color {
  const level = light > 0.62 ? 4 : light > 0.24 ? 3 : light > -0.14 ? 2 : light > -0.52 ? 1 : 0;
  return ramp[isRim ? Math.max(0, level - 1) : level] as Color;
}

function shadow(canvas: Canvas, x: number, y: number, rx: number, ry: number): void {
  canvas.ellipse(x, y, rx, ry, SHADOW, 70);
}

function trunk(canvas: Canvas, x: number, top: number, bottom: number, width: number, ramp: Ramp): void {
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
    lobes.push({ x: dice.between(26, 70), y: dice.between(20, 52), rx: dice.between(10, 15), ry: dice.between(9, 12) });
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
        const hem = bottom - 1 - Math.abs(side) ** 2 * 3 - (hash(x >> 1, bottom, seed) > 0.5 ? 2 : 0);
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
function treeTiles(): Tile[] {
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

/** Cuts a picture into tiles named `name-column-row`; those on which nothing is drawn are left out. */
export function cutTiles(name: string, picture: Canvas, isSolid: (column: number, row: number) => boolean): Tile[] {
  const tiles: Tile[] = [];
  for (let row = 0; row < picture.height / TILE; row++) {
    for (let column = 0; column < picture.width / TILE; column++) {
      const part = picture.part(column * TILE, row * TILE, TILE, TILE);
      if (part.isEmpty()) continue;
      tiles.push({ name: `${name}-${column}-${row}`, picture: part, solid: isSolid(column, row) });
    }
  }
  return tiles;
}

function bush(ramp: Ramp, seed: number, berries?: Color): Canvas {
  const canvas = createCanvas(TILE, TILE);
  shadow(canvas, 16, 26, 14, 5);
  const body = createCanvas(TILE, TILE);
  const lobes = [
    { x: 10, y: 19, rx: 8, ry: 8 },
    { x: 22, y: 19, rx: 8, ry: 8 },
    { x: 16, y: 14, rx: 9, ry: 8 },
    { x: 16, y: 21, rx: 9, ry: 7 },
  ];
  drawLeaves(body, lobes, { x: 16, y: 17, rx: 15, ry: 13 }, ramp, seed);
  const dice = createDice(seed);
  if (berries !== undefined) {
    for (let n = 0; n < 8; n++) {
      const [x, y] = [dice.between(6, 24), dice.between(9, 24)];
      body.rect(x, y, 2, 2, berries);
      body.set(x, y, mix(berries, 0xffffff, 0.6));
    }
  }
  body.outline(mix(ramp[0], 0x101828, 0.4));
  canvas.draw(body, 0, 0);
  return canvas;
}

/** Three to five flowers on stalks; they grow on any ground. */
function flowers(colors: readonly Color[], seed: number): Canvas {
  const canvas = createCanvas(TILE, TILE);
  const dice = createDice(seed);
  const places = [
    [7, 9],
    [21, 7],
    [13, 18],
    [25, 20],
    [6, 25],
  ] as const;
  for (const [px, py] of places) {
    const [x, y] = [px + dice.between(-2, 2), py + dice.between(-2, 2)];
    const color = dice.pick(colors);
    canvas.rect(x, y + 2, 1, 4, LEAF[1]);
    canvas.set(x - 1, y + 4, LEAF[2]);
    canvas.set(x + 1, y + 3, LEAF[3]);
    for (const [dx, dy] of [[0, -1], [-1, 0], [1, 0], [0, 1]] as const) canvas.set(x + dx, y + dy, color);
    canvas.set(x - 1, y - 1, mix(color, 0xffffff, 0.45));
    canvas.set(x + 1, y + 1, mix(color, 0x301030, 0.3));
    canvas.set(x, y, color === GOLD[3] ? 0xc46f2a : GOLD[3]);
  }
  return canvas;
}

function tallGrass(seed: number): Canvas {
  const canvas = createCanvas(TILE, TILE);
  const dice = createDice(seed);
  for (let n = 0; n < 26; n++) {
    const [x, y] = [dice.between(2, 29), 10 + Math.floor(n * 0.75) + dice.between(0, 2)];
    const length = dice.between(5, 9);
    const lean = dice.pick([-1, 0, 1]);
    for (let i = 0; i < length; i++) {
      const color = i < 2 ? LEAF[1] : i < length - 2 ? LEAF[2] : LEAF[3];
      canvas.set(x + (i > length / 2 ? lean : 0), y - i, color);
    }
  }
  return canvas;
}

function rock(lobes: readonly Lobe[], seed: number): Canvas {
  const canvas = createCanvas(TILE, TILE);
  for (const { x, y, rx, ry } of lobes) shadow(canvas, x + 1, y + ry * 0.75, rx + 1, ry * 0.45);
  const body = createCanvas(TILE, TILE);
  for (const lobe of lobes) {
    for (let y = Math.floor(lobe.y - lobe.ry); y <= lobe.y + lobe.ry * 0.8; y++) {
      for (let x = Math.floor(lobe.x - lobe.rx); x <= lobe.x + lobe.rx; x++) {
        const [dx, dy] = [(x + 0.5 - lobe.x) / lobe.rx, (y + 0.5 - lobe.y) / lobe.ry];
        if (Math.abs(dx) ** 2.6 + Math.abs(dy) ** 2.6 > 1) continue;
        // Flat faces, not a ball: the light depends on which face the pixel lies on.
        const face = dy < -0.35 - dx * 0.2 ? 0.7 : dx < -0.1 + dy * 0.3 ? 0.25 : -0.3;
        const grain = (hash(x >> 1, y >> 1, seed) - 0.5) * 0.3;
        body.set(x, y, shade(STONE, face + grain, dy > 0.55));
      }
    }
  }
  body.outline(mix(STONE[0], 0x101828, 0.5));
  canvas.draw(body, 0, 0);
  return canvas;
}

function stump(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  shadow(canvas, 16, 25, 12, 4);
  const body = createCanvas(TILE, TILE);
  trunk(body, 16, 14, 26, 14, WOOD);
  body.ellipse(16, 14, 7.5, 4, WOOD[4]);
  body.ellipse(16, 14, 5, 2.6, WOOD[3]);
  body.ellipse(16, 14, 3, 1.6, WOOD[4]);
  body.set(16, 14, WOOD[2]);
  body.outline(mix(WOOD[0], 0, 0.4));
  canvas.draw(body, 0, 0);
  return canvas;
}

function mushrooms(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  for (const [x, y, r] of [[11, 20, 4], [21, 16, 3], [19, 25, 3]] as const) {
    shadow(canvas, x, y + 4, r + 1, 1.6);
    canvas.rect(x - 1, y, 2, 5, 0xf1e6cf);
    canvas.rect(x, y, 1, 5, 0xcdb99b);
    canvas.ellipse(x, y, r, r * 0.7, SCARLET[2]);
    canvas.ellipse(x, y + r * 0.4, r, 1, SCARLET[1]);
    canvas.set(x - 2, y - 1, 0xfff4e6);
    canvas.set(x + 1, y - 1, 0xfff4e6);
  }
  return canvas;
}

function lilies(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  for (const [x, y, r] of [[10, 11, 6], [22, 20, 5], [9, 25, 4]] as const) {
    canvas.ellipse(x, y + 1, r, r * 0.62, 0x24507e, 140);
    canvas.ellipse(x, y, r, r * 0.62, LEAF[2]);
    canvas.ellipse(x - 1, y - 1, r * 0.6, r * 0.3, LEAF[3]);
    canvas.rect(x, y, r, 1, 0x3f7fae);
  }
  canvas.ellipse(11, 9, 3, 2, CHERRY[3]);
  canvas.ellipse(11, 9, 1.2, 1, GOLD[4]);
  return canvas;
}

function reeds(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  const dice = createDice(91);
  for (let n = 0; n < 12; n++) {
    const [x, bottom] = [3 + Math.floor(n * 2.3), 29 - dice.between(0, 5)];
    const length = dice.between(12, 20);
    for (let i = 0; i < length; i++) canvas.set(x, bottom - i, i < 5 ? LEAF[0] : i < 12 ? LEAF[1] : LEAF[2]);
    if (n % 3 === 1) canvas.rect(x, bottom - length - 3, 2, 6, WOOD[1]);
  }
  return canvas;
}

function crops(isRipe: boolean): Canvas {
  const canvas = createCanvas(TILE, TILE);
  for (let row = 0; row < 2; row++) {
    canvas.rect(0, row * 16 + 6, 32, 9, DIRT[1]);
    canvas.rect(0, row * 16 + 14, 32, 1, DIRT[0]);
    canvas.rect(0, row * 16 + 6, 32, 1, DIRT[2]);
    for (let column = 0; column < 3; column++) {
      const [x, y] = [5 + column * 11, row * 16 + 9];
      canvas.ellipse(x, y, 4, 3.4, LEAF[1]);
      canvas.ellipse(x - 0.5, y - 1, 3, 2.2, LEAF[2]);
      canvas.set(x - 1, y - 2, LEAF[4]);
      if (isRipe) canvas.ellipse(x + 1, y + 1, 2, 1.6, 0xe08a32);
    }
  }
  return canvas;
}

const plant = (name: string, picture: Canvas, solid = false): Tile => ({ name, picture, solid });

/** Trees, bushes, flowers, rocks and what else grows or lies about. */
export function plantTiles(): Tile[] {
  return [
    ...treeTiles(),
    plant("bush-0", bush(LEAF, 21), true),
    plant("bush-1", bush(OAK, 22), true),
    plant("bush-berries", bush(LEAF, 23, SCARLET[2]), true),
    plant("bush-blossom", bush(LEAF, 24, CHERRY[3]), true),
    plant("flowers-red", flowers([SCARLET[2], SCARLET[3]], 31)),
    plant("flowers-yellow", flowers([GOLD[3], GOLD[4]], 32)),
    plant("flowers-white", flowers([0xfffdf2, 0xf2eee4], 33)),
    plant("flowers-violet", flowers([VIOLET[2], VIOLET[3]], 34)),
    plant("flowers-mixed", flowers([CHERRY[2], GOLD[3], 0xfffdf2, VIOLET[3], SCARLET[2]], 35)),
    plant("tall-grass-0", tallGrass(36)),
    plant("tall-grass-1", tallGrass(37)),
    plant("boulder-0", rock([{ x: 16, y: 17, rx: 13, ry: 12 }], 41), true),
    plant("boulder-1", rock([{ x: 20, y: 14, rx: 10, ry: 10 }, { x: 10, y: 21, rx: 8, ry: 7 }], 42), true),
    plant("pebbles", rock([{ x: 9, y: 12, rx: 4, ry: 3 }, { x: 22, y: 17, rx: 5, ry: 4 }, { x: 12, y: 25, rx: 3, ry: 3 }], 43)),
    plant("stump", stump(), true),
    plant("mushrooms", mushrooms()),
    plant("lilies", lilies()),
    plant("reeds", reeds()),
    plant("crops", crops(false)),
    plant("crops-ripe", crops(true)),
  ];
}
