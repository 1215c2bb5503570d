import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { hash } from "./dice.ts";
import { GOLD, SCARLET, SHADOW, STONE, WATER, WOOD } from "./palette.ts";
import { TILE, cutTiles } from "./tile.ts";
import type { Tile } from "./tile.ts";

const WOOD_EDGE: Color = mix(WOOD[0], 0, 0.4);

/** A fence: a post in the middle and rails to those of the four sides that have a fence too. */
function fence(north: boolean, east: boolean, south: boolean, west: boolean): Canvas {
  const canvas = createCanvas(TILE, TILE);
  const rail = (x: number, width: number): void => {
    canvas.rect(x, 27, width, 2, SHADOW, 60);
    for (const y of [12, 19]) {
      canvas.rect(x, y, width, 4, WOOD[2]);
      canvas.rect(x, y, width, 1, WOOD[4]);
      canvas.rect(x, y + 3, width, 1, WOOD[0]);
    }
  };
  if (west) rail(0, 16);
  if (east) rail(16, 16);
  const upright = (y: number, height: number): void => {
    canvas.rect(14, y, 4, height, WOOD[2]);
    canvas.rect(14, y, 1, height, WOOD[4]);
    canvas.rect(17, y, 1, height, WOOD[0]);
  };
  if (north) upright(0, 16);
  if (south) upright(16, 16);
  canvas.ellipse(16, 28, 6, 2, SHADOW, 70);
  canvas.rect(12, 7, 8, 21, WOOD_EDGE);
  canvas.rect(13, 8, 6, 19, WOOD[2]);
  canvas.rect(13, 8, 2, 19, WOOD[3]);
  canvas.rect(18, 8, 1, 19, WOOD[1]);
  canvas.rect(13, 7, 6, 2, WOOD[4]);
  return canvas;
}

/** Stones in courses; the row shifts them. */
function masonry(canvas: Canvas, x0: number, y0: number, width: number, height: number): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(y / 8);
      const shifted = x0 + x + (row % 2) * 8;
      const column = Math.floor(shifted / 16) % 2;
      const isJoint = shifted % 16 === 15 || y % 8 === 7;
      const tone = hash(column, row % 4, 77);
      const stone =
        tone > 0.6
          ? mix(STONE[2], STONE[3], 0.5)
          : tone < 0.3
            ? mix(STONE[2], STONE[1], 0.5)
            : STONE[2];
      const lit = y % 8 === 0 || shifted % 16 === 0 ? mix(stone, STONE[4], 0.45) : stone;
      canvas.set(x0 + x, y0 + y, isJoint ? mix(STONE[0], STONE[1], 0.3) : lit);
    }
  }
}

function merlons(canvas: Canvas, x0: number, y0: number, width: number): void {
  for (let x = 0; x < width; x += 16) {
    canvas.rect(x0 + x, y0, 11, 9, STONE[3]);
    canvas.rect(x0 + x, y0, 11, 2, STONE[4]);
    canvas.rect(x0 + x + 10, y0 + 1, 1, 8, STONE[1]);
    canvas.rect(x0 + x, y0 + 8, 11, 1, STONE[1]);
  }
}

/** The wall of the town, two tiles high, seen from inside. */
function townWall(): Canvas {
  const canvas = createCanvas(TILE, TILE * 2);
  merlons(canvas, 2, 4, TILE);
  canvas.rect(0, 12, TILE, 10, STONE[2]);
  canvas.rect(0, 12, TILE, 1, STONE[4]);
  canvas.rect(0, 18, TILE, 4, STONE[3]);
  canvas.rect(0, 21, TILE, 1, STONE[0]);
  masonry(canvas, 0, 22, TILE, 40);
  for (let y = 0; y < 5; y++) canvas.rect(0, 22 + y, TILE, 1, SHADOW, 70 - y * 12);
  for (let y = 0; y < 8; y++) canvas.rect(0, 54 + y, TILE, 1, 0x3c4a3a, 20 + y * 10);
  canvas.rect(0, 62, TILE, 2, SHADOW, 90);
  return canvas;
}

/** Columns and rows of the gate: towers at both sides, a way of three tiles between them. */
export const GATE = { columns: 5, rows: 4 } as const;

/** The town's gate. What hangs over the way is apart, so that it covers those who walk below. */
function gate(): { towers: Canvas; arch: Canvas } {
  const [towers, arch] = [createCanvas(160, 128), createCanvas(160, 128)];
  for (const x of [0, 128]) {
    masonry(towers, x + 1, 30, 30, 96);
    towers.rect(x, 30, 1, 96, STONE[0]);
    towers.rect(x + 31, 30, 1, 96, STONE[0]);
    for (let i = 0; i < 6; i++) towers.rect(x + 25 + i, 30, 1, 96, SHADOW, 18 + i * 6);
    towers.rect(x + 13, 58, 6, 14, 0x2b2433);
    towers.rect(x + 12, 72, 8, 2, STONE[4]);
    merlons(towers, x + 2, 10, 32);
    towers.rect(x, 19, 32, 11, STONE[3]);
    towers.rect(x, 19, 32, 1, STONE[4]);
    towers.rect(x, 28, 32, 2, STONE[0]);
    towers.rect(x, 125, 32, 3, SHADOW, 90);
  }
  merlons(arch, 34, 26, 96);
  masonry(arch, 32, 35, 96, 45);
  arch.rect(32, 34, 96, 3, STONE[4]);
  arch.rect(32, 37, 96, 1, STONE[0]);
  // The opening: a flat arch, dark inside at its top.
  const opened = createCanvas(160, 128);
  for (let y = 0; y < 128; y++) {
    for (let x = 32; x < 128; x++) {
      const [dx, dy] = [(x + 0.5 - 80) / 46, (y - 84) / 26];
      const distance = dx * dx + dy * dy;
      if (y < 80 && distance > 1) {
        const isEdge = distance < 1.22;
        if (arch.alphaAt(x, y) > 0)
          opened.set(
            x,
            y,
            isEdge ? (hash(x >> 2, y >> 2, 6) > 0.5 ? STONE[3] : STONE[4]) : arch.colorAt(x, y),
          );
        if (isEdge && distance < 1.03) opened.set(x, y, STONE[0]);
      } else if (y < 76 && distance > 0.8 && distance <= 1) {
        opened.set(x, y, SHADOW, 150);
      }
    }
  }
  banner(opened, 72, 40);
  return { towers, arch: opened };
}

function banner(canvas: Canvas, x: number, y: number): void {
  canvas.rect(x - 1, y - 2, 18, 2, WOOD[1]);
  canvas.rect(x, y, 16, 15, SCARLET[2]);
  canvas.rect(x, y, 2, 15, SCARLET[3]);
  canvas.rect(x + 14, y, 2, 15, SCARLET[1]);
  canvas.ellipse(x + 8, y + 7, 4, 4, GOLD[3]);
  canvas.ellipse(x + 8, y + 7, 2, 2, SCARLET[1]);
  for (let i = 0; i < 8; i++) canvas.rect(x + i, y + 15, 1, Math.abs(4 - i), SCARLET[2]);
  for (let i = 8; i < 16; i++) canvas.rect(x + i, y + 15, 1, Math.abs(12 - i), SCARLET[1]);
}

/** A rose of the winds in light and dark stones, three tiles wide, for the middle of a square. */
function compass(): Canvas {
  const canvas = createCanvas(96, 96);
  for (let y = 0; y < 96; y++) {
    for (let x = 0; x < 96; x++) {
      const [dx, dy] = [x + 0.5 - 48, y + 0.5 - 48];
      const far = Math.hypot(dx, dy);
      if (far > 46) continue;
      const angle = Math.atan2(dy, dx);
      const ray = (turn: number, length: number, breadth: number): number => {
        const quarter = Math.PI / 2;
        const near = angle - turn - Math.round((angle - turn) / quarter) * quarter;
        const [along, across] = [Math.cos(near) * far, Math.sin(near) * far];
        return Math.abs(across) < breadth * (1 - along / length) ? (across < 0 ? 1 : 2) : 0;
      };
      const long = ray(0, 40, 11);
      const short = ray(Math.PI / 4, 28, 9);
      const grain = (hash(x >> 1, y >> 1, 44) - 0.5) * 0.16;
      let color: Color = 0xc2b8a6;
      if (far > 43) color = 0x7a7266;
      else if (far > 38) color = Math.floor((angle + Math.PI) * 7) % 2 === 0 ? 0xd9d0bd : 0xa99d8b;
      else if (far > 36.5) color = 0x8b8275;
      if (short > 0 && far <= 36.5) color = short === 1 ? 0xa58f6f : 0x80694f;
      if (long > 0) color = long === 1 ? 0xe9dfc8 : 0x8c4f48;
      if (far < 5) color = far < 3.4 ? GOLD[3] : 0x6b5a4a;
      canvas.set(x, y, mix(color, grain > 0 ? 0xffffff : 0x40382f, Math.abs(grain)));
    }
  }
  return canvas;
}

/** A slab with glowing runes: who steps on it leaves for another place. */
function portal(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  canvas.rect(0, 0, TILE, TILE, STONE[1]);
  canvas.rect(1, 1, 30, 30, STONE[2]);
  canvas.rect(1, 1, 30, 1, STONE[4]);
  canvas.rect(1, 30, 30, 1, STONE[0]);
  for (let y = 2; y < 30; y++) {
    for (let x = 2; x < 30; x++) {
      const distance = Math.hypot(x + 0.5 - 16, y + 0.5 - 16);
      const angle = Math.atan2(y + 0.5 - 16, x + 0.5 - 16);
      const swirl = Math.sin(angle * 3 + distance * 0.75);
      if (distance > 13.5) continue;
      const glow = distance > 12 ? 0xbdf3ff : mix(0x3c62c4, 0x8fe6ff, (swirl + 1) / 2);
      canvas.set(x, y, distance < 3 ? 0xf2fdff : glow);
    }
  }
  return canvas;
}

/** A bridge from west to east, three rows of planks with rails at the north and south. */
function bridge(): Canvas {
  const canvas = createCanvas(96, 96);
  // Water beyond the rails, but not at the ends, which lie on the banks.
  canvas.rect(32, 0, 32, 96, WATER[2]);
  for (let x = 0; x < 96; x++) {
    const plank = Math.floor(x / 8);
    for (let y = 5; y < 92; y++) {
      const tone = hash(plank, 1, 87);
      const base =
        tone > 0.66
          ? WOOD[3]
          : tone < 0.33
            ? mix(WOOD[2], WOOD[3], 0.3)
            : mix(WOOD[2], WOOD[3], 0.65);
      const grain = hash(x, y >> 3, 88) > 0.85 ? mix(base, WOOD[1], 0.4) : base;
      canvas.set(x, y, x % 8 === 7 ? WOOD[1] : x % 8 === 0 ? mix(base, WOOD[4], 0.6) : grain);
    }
    if (x % 8 === 3) for (const y of [14, 82]) canvas.set(x, y, WOOD[0]);
  }
  for (let y = 0; y < 5; y++) canvas.rect(0, 12 + y, 96, 1, SHADOW, 70 - y * 13);
  rails(canvas, 0);
  rails(canvas, 80);
  return canvas;
}

function rails(canvas: Canvas, y: number): void {
  canvas.rect(0, y + 4, 96, 5, WOOD[1]);
  canvas.rect(0, y + 4, 96, 2, WOOD[4]);
  canvas.rect(0, y + 9, 96, 1, WOOD_EDGE);
  for (let x = 12; x < 96; x += 32) {
    canvas.rect(x, y, 8, 15, WOOD_EDGE);
    canvas.rect(x + 1, y + 1, 6, 13, WOOD[2]);
    canvas.rect(x + 1, y + 1, 2, 13, WOOD[3]);
    canvas.rect(x + 1, y, 6, 2, WOOD[4]);
  }
}

/** The water just south of a bridge, with the piles that carry it. */
function bridgeShadow(): Canvas {
  const canvas = createCanvas(TILE, TILE);
  canvas.rect(0, 0, TILE, TILE, WATER[2]);
  for (let y = 0; y < 14; y++) canvas.rect(0, y, TILE, 1, SHADOW, 130 - y * 9);
  canvas.rect(12, 0, 8, 17, WOOD[0]);
  canvas.rect(13, 0, 3, 16, WOOD[1]);
  canvas.rect(10, 17, 12, 1, WATER[4]);
  canvas.rect(8, 18, 16, 1, WATER[3]);
  return canvas;
}

/** Fences, the town's wall and gate, portals and bridges. */
export function structureTiles(): Tile[] {
  const tiles: Tile[] = [];
  for (let bits = 0; bits < 16; bits++) {
    // The bits are north, east, south, west, as in the name: `fence-0101` runs from east to west.
    const sides = [8, 4, 2, 1].map((bit) => (bits & bit) !== 0);
    const [north = false, east = false, south = false, west = false] = sides;
    const name = `fence-${bits.toString(2).padStart(4, "0")}`;
    tiles.push({ name, picture: fence(north, east, south, west), solid: true });
  }
  const { towers, arch } = gate();
  return [
    ...tiles,
    ...cutTiles("town-wall", townWall(), () => true),
    ...cutTiles("gate-tower", towers, () => true),
    ...cutTiles("gate-arch", arch, () => false),
    ...cutTiles("compass", compass(), () => false),
    { name: "portal", picture: portal(), solid: false },
    ...cutTiles("bridge", bridge(), () => false),
    { name: "bridge-shadow", picture: bridgeShadow(), solid: true },
  ];
}
