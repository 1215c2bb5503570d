import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { hash } from "./dice.ts";
import {
  GOLD,
  LEAF,
  PLASTER,
  ROOF_BLUE,
  ROOF_RED,
  SCARLET,
  SHADOW,
  STONE,
  STRAW,
  WOOD,
} from "./palette.ts";
import type { Ramp } from "./palette.ts";
import { TILE } from "./tile.ts";
import type { Tile } from "./tile.ts";

/** Colours of roofs: tiles are named `roof-red-nw` and so on. */
export const ROOFS: Readonly<Record<string, Ramp>> = {
  red: ROOF_RED,
  blue: ROOF_BLUE,
  straw: STRAW,
};

const TIMBER: Color = WOOD[1];

/** Where a tile is in a row or column of several. */
type Side = "first" | "middle" | "last";
const SIDES: readonly Side[] = ["first", "middle", "last"];
const COLUMN_NAMES = { first: "w", middle: "", last: "e" } as const;
const ROW_NAMES = { first: "n", middle: "", last: "s" } as const;

function plaster(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      const grain = hash(x >> 1, y >> 1, 7);
      canvas.set(
        x,
        y,
        grain > 0.9 ? mix(PLASTER[2], PLASTER[1], 0.4) : grain < 0.1 ? PLASTER[3] : PLASTER[2],
      );
    }
  }
  return canvas;
}

function beam(canvas: Canvas, x: number, y: number, width: number, height: number): void {
  canvas.rect(x, y, width, height, TIMBER);
  if (height > width) {
    canvas.rect(x, y, 1, height, WOOD[2]);
    canvas.rect(x + width - 1, y, 1, height, WOOD[0]);
  } else {
    canvas.rect(x, y, width, 1, WOOD[2]);
    canvas.rect(x, y + height - 1, width, 1, WOOD[0]);
  }
}

/** Beams at the ends, and the dark edge of the house. */
function corners(canvas: Canvas, side: Side): void {
  if (side === "first") {
    beam(canvas, 2, 0, 5, TILE);
    canvas.rect(0, 0, 2, TILE, 0, 0);
    canvas.rect(1, 0, 1, TILE, WOOD[0]);
  }
  if (side === "last") {
    beam(canvas, 25, 0, 5, TILE);
    canvas.rect(30, 0, 1, TILE, WOOD[0]);
  }
}

function cutEnds(canvas: Canvas, side: Side): Canvas {
  if (side === "middle") return canvas;
  const cut = createCanvas(TILE, TILE);
  if (side === "first") cut.draw(canvas.part(1, 0, 31, TILE), 1, 0);
  else cut.draw(canvas.part(0, 0, 31, TILE), 0, 0);
  return cut;
}

/** The upper half of a wall: in the shadow of the eaves above, a beam below. */
function wallTop(side: Side): Canvas {
  const canvas = plaster();
  beam(canvas, 0, 28, TILE, 4);
  corners(canvas, side);
  for (let y = 0; y < 7; y++) canvas.rect(0, y, TILE, 1, SHADOW, 120 - y * 16);
  return cutEnds(canvas, side);
}

/** The lower half: on a foot of stones. */
function wallBottom(side: Side): Canvas {
  const canvas = plaster();
  corners(canvas, side);
  for (let row = 0; row < 2; row++) {
    for (let x = 0; x < TILE; x++) {
      for (let y = 0; y < 5; y++) {
        const column = Math.floor((x + row * 5) / 10);
        const isJoint = (x + row * 5) % 10 === 9 || y === 4;
        const stone = mix(STONE[2], STONE[1], hash(column, row, 9) * 0.8);
        canvas.set(x, 22 + row * 5 + y, isJoint ? STONE[0] : y === 0 ? STONE[3] : stone);
      }
    }
  }
  return cutEnds(canvas, side);
}

function window(base: Canvas, isLit: boolean): Canvas {
  base.rect(6, 5, 20, 20, WOOD[0]);
  base.rect(7, 6, 18, 18, WOOD[2]);
  base.rect(9, 8, 14, 14, isLit ? GOLD[3] : 0x5a86a8);
  for (let y = 0; y < 14; y++) {
    for (let x = 0; x < 14; x++) {
      const glint = (x + y) % 14;
      if (glint > 2 && glint < 6) base.set(9 + x, 8 + y, isLit ? GOLD[4] : 0x9cc4d8);
    }
  }
  base.rect(15, 8, 2, 14, WOOD[1]);
  base.rect(9, 14, 14, 2, WOOD[1]);
  base.rect(9, 8, 14, 1, 0x2c3d55, 130);
  // A box of flowers below.
  base.rect(5, 25, 22, 5, WOOD[1]);
  base.rect(5, 25, 22, 1, WOOD[3]);
  base.rect(5, 29, 22, 1, WOOD[0]);
  for (let x = 6; x < 26; x++) {
    base.rect(x, 23 + (hash(x, 1, 3) > 0.5 ? 1 : 0), 1, 3, LEAF[x % 3 === 0 ? 3 : 2]);
    if (x % 4 === 1) base.rect(x, 22, 2, 2, x % 8 === 1 ? SCARLET[3] : GOLD[4]);
  }
  return base;
}

function door(ramp: Ramp): [top: Canvas, bottom: Canvas] {
  const whole = createCanvas(TILE, TILE * 2);
  whole.draw(wallTop("middle"), 0, 0);
  whole.draw(wallBottom("middle"), 0, TILE);
  whole.ellipse(16, 30, 13, 13, STONE[1]);
  whole.rect(3, 30, 26, 34, STONE[1]);
  for (let y = 18; y < 64; y += 6) {
    whole.rect(3, y, 3, 1, STONE[0]);
    whole.rect(26, y, 3, 1, STONE[0]);
  }
  whole.ellipse(16, 30, 10, 10, WOOD[0]);
  whole.rect(6, 30, 20, 32, WOOD[0]);
  whole.ellipse(16, 31, 9, 9, ramp[2]);
  whole.rect(7, 31, 18, 31, ramp[2]);
  for (const x of [11, 16, 21]) whole.rect(x, 24, 1, 38, ramp[1]);
  whole.rect(8, 30, 1, 32, ramp[3]);
  for (const y of [35, 52]) {
    whole.rect(7, y, 13, 2, 0x3a3640);
    whole.rect(7, y, 13, 1, 0x62606c);
  }
  whole.rect(21, 45, 2, 3, GOLD[3]);
  whole.set(21, 45, GOLD[4]);
  // The step.
  whole.rect(3, 61, 26, 3, STONE[3]);
  whole.rect(3, 63, 26, 1, STONE[1]);
  return [whole.part(0, 0, TILE, TILE), whole.part(0, TILE, TILE, TILE)];
}

/** Shingles in rows of eight pixels, every second row shifted by half. */
function shingle(x: number, y: number, ramp: Ramp, light: number): Color {
  const row = Math.floor(y / 8);
  const along = (x + (row % 2) * 4) % 8;
  const column = Math.floor((x + (row % 2) * 4) / 8) % 4;
  const inRow = y % 8;
  const tone = hash(column, row % 4, 17);
  if (inRow === 7 || (along === 0 && inRow > 1)) return ramp[0];
  // Round lower corners.
  if (inRow === 6 && (along === 1 || along === 7)) return ramp[0];
  const base =
    tone > 0.72 ? mix(ramp[2], ramp[3], 0.5) : tone < 0.25 ? mix(ramp[2], ramp[1], 0.5) : ramp[2];
  if (inRow === 0) return mix(base, ramp[0], 0.35);
  return along < 3 && inRow < 5 ? mix(base, ramp[3], 0.35 + light) : base;
}

function thatch(x: number, y: number, ramp: Ramp): Color {
  const layer = y % 11;
  const straw = hash(x, Math.floor(y / 11), 27);
  if (layer >= 9 && straw > 0.3 * (11 - layer)) return ramp[0];
  const level = hash(x, y >> 2, 28);
  return level > 0.7 ? ramp[3] : level > 0.25 ? ramp[2] : ramp[1];
}

function roof(kind: string, column: Side, row: Side): Canvas {
  const ramp = ROOFS[kind] ?? ROOF_RED;
  const canvas = createCanvas(TILE, TILE);
  const top = row === "first" ? 4 : 0;
  const bottom = row === "last" ? 29 : TILE;
  const light = { first: 0.3, middle: 0.1, last: 0 }[row];
  for (let y = top; y < bottom; y++) {
    for (let x = 0; x < TILE; x++) {
      canvas.set(x, y, kind === "straw" ? thatch(x, y, ramp) : shingle(x, y, ramp, light));
    }
  }
  if (row === "first") {
    canvas.rect(0, 3, TILE, 1, mix(ramp[0], 0, 0.3));
    canvas.rect(0, 4, TILE, 4, ramp[3]);
    canvas.rect(0, 4, TILE, 1, ramp[4]);
    canvas.rect(0, 8, TILE, 1, ramp[0]);
    for (let x = 0; x < TILE; x += 8) canvas.rect(x, 5, 1, 3, ramp[1]);
  }
  if (row === "last") {
    canvas.rect(0, 27, TILE, 3, WOOD[1]);
    canvas.rect(0, 27, TILE, 1, WOOD[3]);
    canvas.rect(0, 30, TILE, 1, WOOD[0]);
    canvas.rect(0, 31, TILE, 1, SHADOW, 150);
  }
  verge(canvas, column, top, bottom);
  return canvas;
}

/** The board at the end of a roof. */
function verge(canvas: Canvas, column: Side, top: number, bottom: number): void {
  if (column === "middle") return;
  const x = column === "first" ? 0 : 28;
  canvas.rect(x, top, 4, bottom - top, WOOD[2]);
  canvas.rect(x, top, 1, bottom - top, column === "first" ? WOOD[0] : WOOD[3]);
  canvas.rect(x + 3, top, 1, bottom - top, column === "first" ? WOOD[3] : WOOD[0]);
  canvas.rect(x, top, 4, 1, WOOD[4]);
}

function chimney(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  canvas.rect(10, 6, 13, 22, STONE[1]);
  for (let row = 0; row < 5; row++) {
    for (let x = 0; x < 13; x++) {
      const isJoint = (x + (row % 2) * 3) % 6 === 5;
      canvas.rect(
        10 + x,
        8 + row * 4,
        1,
        3,
        isJoint ? STONE[0] : mix(SCARLET[1], STONE[2], 0.45 + x * 0.02),
      );
    }
    canvas.rect(10, 11 + row * 4, 13, 1, STONE[0]);
  }
  canvas.rect(8, 4, 17, 4, STONE[2]);
  canvas.rect(8, 4, 17, 1, STONE[4]);
  canvas.rect(8, 7, 17, 1, STONE[0]);
  canvas.rect(12, 5, 9, 2, 0x2b2433);
  canvas.rect(23, 10, 5, 18, SHADOW, 60);
  return canvas;
}

/** A sign that hangs beside a door: a mug, or a sword. */
function shopSign(kind: "inn" | "smith"): Canvas {
  const canvas = window(wallTop("middle"), true);
  canvas.draw(wallTop("middle"), 0, 0);
  canvas.rect(4, 6, 22, 2, 0x3a3640);
  canvas.rect(8, 8, 1, 3, 0x3a3640);
  canvas.rect(22, 8, 1, 3, 0x3a3640);
  canvas.rect(6, 11, 19, 15, WOOD[0]);
  canvas.rect(7, 12, 17, 13, WOOD[3]);
  canvas.rect(7, 12, 17, 1, WOOD[4]);
  if (kind === "inn") {
    canvas.rect(11, 15, 7, 8, GOLD[2]);
    canvas.rect(11, 14, 7, 2, 0xfffdf2);
    canvas.rect(18, 17, 2, 1, GOLD[1]);
    canvas.rect(19, 17, 1, 4, GOLD[1]);
    canvas.rect(18, 20, 2, 1, GOLD[1]);
    canvas.rect(11, 16, 1, 7, GOLD[4]);
  } else {
    for (let i = 0; i < 8; i++) canvas.rect(19 - i, 14 + i, 2, 1, 0xdfe6ea);
    canvas.rect(10, 19, 4, 1, WOOD[0]);
    canvas.rect(12, 18, 1, 4, WOOD[0]);
    canvas.rect(10, 22, 2, 2, GOLD[2]);
  }
  return canvas;
}

/** Walls of two rows with doors and windows, roofs of any size, chimneys and signs. */
export function houseTiles(): Tile[] {
  const tiles: Tile[] = [];
  const add = (name: string, picture: Canvas, solid = true): void => {
    tiles.push({ name, picture, solid });
  };
  for (const side of SIDES) {
    const suffix = COLUMN_NAMES[side] === "" ? "" : `-${COLUMN_NAMES[side]}`;
    add(`wall-top${suffix}`, wallTop(side));
    add(`wall-bottom${suffix}`, wallBottom(side));
  }
  add("window", window(wallTop("middle"), false));
  add("window-lit", window(wallTop("middle"), true));
  for (const [name, ramp] of [
    ["door", WOOD],
    ["door-red", SCARLET],
    ["door-blue", ROOF_BLUE],
  ] as const) {
    const [top, bottom] = door(ramp);
    add(`${name}-top`, top);
    add(`${name}-bottom`, bottom);
  }
  add("sign-inn", shopSign("inn"));
  add("sign-smith", shopSign("smith"));
  for (const kind of Object.keys(ROOFS)) {
    for (const row of SIDES) {
      for (const column of SIDES) {
        const place = `${ROW_NAMES[row]}${COLUMN_NAMES[column]}` || "c";
        // One can walk behind the ridge.
        add(`roof-${kind}-${place}`, roof(kind, column, row), row !== "first");
      }
    }
  }
  add("chimney", chimney(), false);
  return tiles;
}
