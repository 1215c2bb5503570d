import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { hash } from "./dice.ts";
import {
  GOLD,
  INK,
  LEAF,
  ROOF_BLUE,
  SCARLET,
  SHADOW,
  STONE,
  STRAW,
  WATER,
  WOOD,
} from "./palette.ts";
import type { Ramp } from "./palette.ts";
import { TILE, cutTiles } from "./tile.ts";
import type { Tile } from "./tile.ts";

const EDGE: Color = mix(WOOD[0], 0, 0.4);

/** Draws a body with an outline over its shadow. */
function standing(
  draw: (canvas: Canvas) => void,
  shadowWidth: number,
  width = TILE,
  height = TILE,
): Canvas {
  const canvas = createCanvas(width, height);
  if (shadowWidth > 0) canvas.ellipse(width / 2, height - 5, shadowWidth, 3.5, SHADOW, 70);
  const body = createCanvas(width, height);
  draw(body);
  body.outline(EDGE);
  canvas.draw(body, 0, 0);
  return canvas;
}

/** A signpost, its board pointing to the east. */
export function signpost(): Canvas {
  return standing((c) => {
    c.rect(14, 5, 4, 24, WOOD[2]);
    c.rect(14, 5, 1, 24, WOOD[3]);
    c.rect(17, 5, 1, 24, WOOD[1]);
    c.rect(4, 7, 22, 11, WOOD[3]);
    for (let i = 0; i < 5; i++) c.rect(26 + i, 8 + i, 1, 9 - i * 2, WOOD[3]);
    c.rect(4, 7, 22, 2, WOOD[4]);
    c.rect(4, 16, 22, 2, WOOD[2]);
    c.rect(7, 11, 14, 1, WOOD[1]);
    c.rect(7, 14, 10, 1, WOOD[1]);
    c.set(15, 9, INK);
  }, 7);
}

/** A well of 48 × 60 pixels: a ring of stones below a small roof. */
export function well(): Canvas {
  return standing(
    (c) => {
      c.rect(7, 14, 4, 34, WOOD[2]);
      c.rect(37, 14, 4, 34, WOOD[1]);
      c.rect(7, 14, 1, 34, WOOD[3]);
      for (let y = 34; y < 56; y++) {
        const half = 20 - (y > 50 ? (y - 50) * 1.2 : 0);
        for (let x = Math.ceil(24 - half); x < 24 + half; x++) {
          const row = Math.floor((y - 34) / 6);
          const along = x + (row % 2) * 5;
          const isJoint = along % 10 === 0 || (y - 34) % 6 === 5;
          const stone = mix(
            STONE[3],
            STONE[1],
            (x - 4) / 48 + (hash(Math.floor(along / 10), row, 4) - 0.5) * 0.3,
          );
          c.set(x, y, isJoint ? STONE[0] : stone);
        }
      }
      c.ellipse(24, 35, 20, 7, STONE[4]);
      c.ellipse(24, 35.5, 16, 5, STONE[0]);
      c.ellipse(24, 36.5, 14, 3.5, WATER[1]);
      c.rect(17, 36, 7, 1, WATER[3]);
      // The winch with its rope and bucket.
      c.rect(9, 20, 30, 3, WOOD[1]);
      c.rect(9, 20, 30, 1, WOOD[3]);
      c.rect(23, 22, 1, 8, STRAW[3]);
      c.rect(20, 29, 8, 6, WOOD[2]);
      c.rect(20, 29, 8, 1, WOOD[4]);
      c.rect(20, 32, 8, 1, STONE[0]);
      for (let y = 2; y < 17; y++) {
        const half = 10 + (y - 2) * 0.95;
        for (let x = Math.ceil(24 - half); x < 24 + half; x++) {
          const row = Math.floor((y - 2) / 5);
          const isJoint = (x + (row % 2) * 3) % 6 === 0 || (y - 2) % 5 === 4;
          c.set(x, y, isJoint ? 0x6f2b33 : y < 5 ? 0xe69a74 : x < 24 ? 0xd1785a : 0xb95a47);
        }
      }
      c.rect(1, 17, 46, 2, WOOD[1]);
    },
    22,
    48,
    60,
  );
}

function barrel(): Canvas {
  return standing((c) => {
    for (let y = 8; y < 29; y++) {
      const half = 8 + Math.sin(((y - 8) / 21) * Math.PI) * 2.5;
      for (let x = Math.ceil(16 - half); x < 16 + half; x++) {
        const side = (x - 16 + half) / (2 * half);
        const color = side < 0.2 ? WOOD[2] : side < 0.45 ? WOOD[3] : side < 0.8 ? WOOD[2] : WOOD[1];
        c.set(x, y, x % 5 === 0 ? mix(color, WOOD[0], 0.4) : color);
      }
    }
    for (const y of [12, 23]) {
      c.rect(6, y, 20, 2, 0x4b4b57);
      c.rect(9, y, 5, 1, 0x8a8c99);
    }
    c.ellipse(16, 9, 8.5, 3.4, WOOD[4]);
    c.ellipse(16, 9, 6.5, 2.2, WOOD[2]);
  }, 11);
}

function crate(): Canvas {
  return standing((c) => {
    c.rect(5, 9, 22, 19, WOOD[2]);
    c.rect(5, 6, 22, 5, WOOD[4]);
    for (const y of [15, 20]) c.rect(5, y, 22, 1, WOOD[0]);
    for (let i = 0; i < 16; i++) c.rect(7 + i, 12 + i * 0.9, 3, 2, WOOD[3]);
    c.rect(5, 11, 3, 17, WOOD[3]);
    c.rect(24, 11, 3, 17, WOOD[1]);
    c.rect(5, 11, 22, 2, WOOD[3]);
    c.rect(5, 25, 22, 3, WOOD[1]);
    c.rect(5, 8, 22, 1, WOOD[3]);
  }, 13);
}

function hay(): Canvas {
  return standing((c) => {
    for (let y = 8; y < 28; y++) {
      for (let x = 3; x < 29; x++) {
        const level = hash(x >> 1, y, 8) * 2.2 + (y < 14 ? 1.8 : y > 22 ? 0.2 : 0.9);
        c.set(x, y, STRAW[Math.min(4, Math.max(0, Math.floor(level)))] as Color);
      }
    }
    for (const x of [9, 21]) c.rect(x, 8, 2, 20, WOOD[1]);
  }, 14);
}

/** A market stall of 3 × 2 tiles, with goods in this colour. */
function stall(cloth: Ramp, goods: readonly Color[]): Canvas {
  return standing(
    (c) => {
      for (const x of [4, 88]) {
        c.rect(x, 14, 4, 44, WOOD[2]);
        c.rect(x, 14, 1, 44, WOOD[3]);
      }
      c.rect(4, 38, 88, 8, WOOD[3]);
      c.rect(4, 38, 88, 2, WOOD[4]);
      c.rect(4, 46, 88, 12, WOOD[1]);
      for (let x = 4; x < 92; x += 11) c.rect(x, 46, 1, 12, WOOD[0]);
      for (let n = 0; n < 14; n++) {
        const [x, y] = [11 + n * 5.7, n % 2 === 0 ? 38 : 42];
        const color = goods[n % goods.length] ?? GOLD[2];
        c.ellipse(x, y, 3.4, 3, mix(color, 0x301828, 0.35));
        c.ellipse(x - 0.5, y - 0.5, 2.8, 2.4, color);
        c.set(x - 1, y - 2, mix(color, 0xffffff, 0.6));
      }
      for (let x = 0; x < 94; x++) {
        const stripe = Math.floor(x / 12) % 2 === 0;
        const scallop = 24 + Math.round(Math.sin(((x % 12) / 12) * Math.PI) * 5);
        for (let y = 4; y < scallop; y++) {
          const light = y < 8 ? 3 : y > 21 ? 1 : 2;
          c.set(
            1 + x,
            y,
            stripe ? cloth[light] : mix(0xfff6e6, cloth[1], y > 21 ? 0.35 : y < 8 ? 0 : 0.08),
          );
        }
      }
    },
    46,
    96,
    64,
  );
}

function bench(): Canvas {
  return standing((c) => {
    for (const x of [4, 25]) c.rect(x, 16, 3, 12, WOOD[1]);
    c.rect(2, 8, 28, 4, WOOD[3]);
    c.rect(2, 8, 28, 1, WOOD[4]);
    c.rect(2, 15, 28, 6, WOOD[3]);
    c.rect(2, 15, 28, 2, WOOD[4]);
    c.rect(2, 20, 28, 1, WOOD[1]);
    for (const x of [5, 25]) c.rect(x, 11, 2, 5, WOOD[1]);
  }, 14);
}

function flowerPot(): Canvas {
  return standing((c) => {
    c.rect(9, 19, 14, 9, SCARLET[1]);
    c.rect(8, 17, 16, 4, SCARLET[2]);
    c.rect(9, 21, 2, 7, SCARLET[2]);
    for (let n = 0; n < 26; n++) {
      const [x, y] = [7 + hash(n, 1, 6) * 17, 7 + hash(n, 2, 6) * 10];
      c.rect(x, y, 3, 3, LEAF[n % 2 === 0 ? 2 : 3]);
    }
    for (let n = 0; n < 8; n++) {
      const [x, y] = [8 + hash(n, 3, 6) * 15, 6 + hash(n, 4, 6) * 9];
      c.rect(x, y, 2, 2, n % 2 === 0 ? GOLD[4] : 0xf7b8c8);
    }
  }, 10);
}

/** What people have put up: signposts, wells, stalls and the like. */
export function propTiles(): Tile[] {
  const single = (name: string, picture: Canvas): Tile => ({ name, picture, solid: true });
  const wellTiles = createCanvas(64, 64);
  wellTiles.draw(well(), 8, 3);
  const fruit = [0xd8413a, 0xe8892f, 0xf2cf5b, 0x7bb163];
  const fish = [0x7fa6c4, 0xa9c3d3, 0xd9a48f];
  return [
    single("signpost", signpost()),
    ...cutTiles("well", wellTiles, (_, row) => row === 1),
    single("barrel", barrel()),
    single("crate", crate()),
    single("hay", hay()),
    single("bench", bench()),
    single("flower-pot", flowerPot()),
    ...cutTiles("stall-red", stall(SCARLET, fruit), (_, row) => row === 1),
    ...cutTiles("stall-blue", stall(ROOF_BLUE, fish), (_, row) => row === 1),
  ];
}
