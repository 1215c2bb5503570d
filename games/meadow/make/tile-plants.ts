import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { createDice, hash } from "./dice.ts";
import { CHERRY, DIRT, GOLD, LEAF, OAK, SCARLET, STONE, VIOLET, WOOD } from "./palette.ts";
import type { Ramp } from "./palette.ts";
import { drawLeaves, shade, shadow, treeTiles, trunk } from "./tile-trees.ts";
import type { Lobe } from "./tile-trees.ts";
import { TILE } from "./tile.ts";
import type { Tile } from "./tile.ts";

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

function isYellow(color: Color): boolean {
  return color === GOLD[3] || color === GOLD[4];
}

/** Five flowers on stalks; they grow on any ground. */
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
    const dark = mix(color, 0x301030, 0.3);
    canvas.ellipse(x + 0.5, y + 6, 3, 1.2, LEAF[0], 120);
    canvas.rect(x, y + 3, 1, 4, LEAF[1]);
    canvas.rect(x - 2, y + 4, 2, 1, LEAF[2]);
    canvas.rect(x + 1, y + 5, 2, 1, LEAF[1]);
    // Four petals of two by two pixels around a middle.
    canvas.rect(x - 1, y - 3, 3, 2, mix(color, 0xffffff, 0.35));
    canvas.rect(x - 3, y - 1, 2, 3, color);
    canvas.rect(x + 2, y - 1, 2, 3, dark);
    canvas.rect(x - 1, y + 2, 3, 2, dark);
    canvas.rect(x - 1, y - 1, 3, 3, color);
    canvas.rect(x, y - 1, 1, 2, isYellow(color) ? 0xb9642a : GOLD[3]);
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
  for (const [x, y, r] of [
    [11, 20, 4],
    [21, 16, 3],
    [19, 25, 3],
  ] as const) {
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
  for (const [x, y, r] of [
    [10, 11, 6],
    [22, 20, 5],
    [9, 25, 4],
  ] as const) {
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
    for (let i = 0; i < length; i++)
      canvas.set(x, bottom - i, i < 5 ? LEAF[0] : i < 12 ? LEAF[1] : LEAF[2]);
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
    plant(
      "boulder-1",
      rock(
        [
          { x: 20, y: 14, rx: 10, ry: 10 },
          { x: 10, y: 21, rx: 8, ry: 7 },
        ],
        42,
      ),
      true,
    ),
    plant(
      "pebbles",
      rock(
        [
          { x: 9, y: 12, rx: 4, ry: 3 },
          { x: 22, y: 17, rx: 5, ry: 4 },
          { x: 12, y: 25, rx: 3, ry: 3 },
        ],
        43,
      ),
    ),
    plant("stump", stump(), true),
    plant("mushrooms", mushrooms()),
    plant("lilies", lilies()),
    plant("reeds", reeds()),
    plant("crops", crops(false)),
    plant("crops-ripe", crops(true)),
  ];
}
