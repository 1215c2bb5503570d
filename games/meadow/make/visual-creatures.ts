import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { hash } from "./dice.ts";
import { FUR, GOLD, INK, SCARLET, SHADOW, WOOL } from "./palette.ts";
import type { Ramp } from "./palette.ts";
import type { Visual } from "./visual-sheet.ts";

const SIZE = 32;
const PINK: Color = 0xe9a3a0;
const GINGER: Ramp = [0x8a4a22, 0xb5672c, 0xdb8a3c, 0xf0ab5c, 0xfbd199];

/** A ball lit from the north-west. */
function ball(c: Canvas, x: number, y: number, rx: number, ry: number, ramp: Ramp): void {
  for (let j = Math.floor(y - ry); j <= y + ry; j++) {
    for (let i = Math.floor(x - rx); i <= x + rx; i++) {
      const [dx, dy] = [(i + 0.5 - x) / rx, (j + 0.5 - y) / ry];
      if (dx * dx + dy * dy > 1) continue;
      const light = -dx * 0.4 - dy * 0.8;
      c.set(i, j, ramp[light > 0.5 ? 4 : light > 0.05 ? 3 : light > -0.5 ? 2 : 1]);
    }
  }
}

function creature(shadowX: number, shadowRx: number, draw: (c: Canvas) => void): Canvas {
  const canvas = createCanvas(SIZE, SIZE);
  canvas.ellipse(shadowX, 28, shadowRx, 2.6, SHADOW, 80);
  const body = createCanvas(SIZE, SIZE);
  draw(body);
  body.outline(0x33283a);
  canvas.draw(body, 0, 0);
  return canvas;
}

function eye(c: Canvas, x: number, y: number): void {
  c.rect(x, y, 2, 2, INK);
  c.set(x, y, 0xffffff);
}

function hen(step: number): Canvas {
  return creature(15, 8, (c) => {
    for (const [x, up] of [
      [13, step],
      [18, -step],
    ] as const) {
      c.rect(x, 24, 1, 4 - Math.max(0, up), GOLD[2]);
      c.rect(x, 27 - Math.max(0, up), 3, 1, GOLD[2]);
    }
    c.rect(5, 12, 4, 8, WOOL[2]);
    c.rect(4, 10, 3, 5, WOOL[3]);
    ball(c, 14, 19, 8, 6.5, WOOL);
    ball(c, 20, 12 + step * 0.6, 4.5, 5.5, WOOL);
    ball(c, 12, 19, 5, 3.4, [WOOL[0], WOOL[0], WOOL[1], WOOL[2], WOOL[3]]);
    const y = 12 + Math.round(step * 0.6);
    c.rect(18, y - 8, 2, 3, SCARLET[2]);
    c.rect(21, y - 8, 2, 3, SCARLET[2]);
    c.rect(18, y - 6, 5, 2, SCARLET[3]);
    c.rect(24, y - 1, 4, 2, GOLD[3]);
    c.rect(24, y + 1, 2, 1, GOLD[1]);
    c.rect(23, y + 2, 2, 3, SCARLET[2]);
    eye(c, 21, y - 2);
  });
}

function sheep(step: number): Canvas {
  return creature(15, 12, (c) => {
    for (const [i, x] of [7, 11, 17, 21].entries()) {
      const up = step > 0 && i % 2 === 0 ? 2 : 0;
      c.rect(x, 21, 3, 7 - up, i % 2 === 0 ? 0x4a4048 : 0x5c5058);
    }
    const lobes = [
      [8, 17, 6],
      [20, 17, 6],
      [14, 19, 8],
      [10, 12, 6],
      [18, 12, 6],
      [14, 11, 6],
      [14, 15, 8],
    ] as const;
    for (const [x, y, r] of lobes) ball(c, x, y, r, r * 0.9, WOOL);
    for (let n = 0; n < 16; n++) {
      const [x, y] = [6 + hash(n, 1, 5) * 17, 8 + hash(n, 2, 5) * 13];
      c.rect(x, y, 2, 1, WOOL[2]);
      c.set(x + 1, y + 1, WOOL[1]);
    }
    c.ellipse(25, 14, 4.5, 5, 0x5c5058);
    c.ellipse(26, 15, 3.4, 3.6, 0x6e626a);
    c.rect(20, 11, 3, 3, 0x4a4048);
    ball(c, 24, 9, 4, 2.6, WOOL);
    eye(c, 25, 13);
    c.rect(28, 17, 1, 1, PINK);
  });
}

function rabbit(step: number): Canvas {
  const up = step * 3;
  return creature(16, 8, (c) => {
    c.ellipse(7, 22 - up, 3, 3, 0xfffcf5);
    ball(c, 13, 21 - up, 7, 6, FUR);
    c.rect(8, 26 - up, 7, 2, FUR[3]);
    c.rect(17, 25 - up, 3, 3, FUR[3]);
    for (const [x, lean] of [
      [18, 0],
      [21, 1],
    ] as const) {
      c.rect(x, 6 - up + lean, 3, 9, FUR[2]);
      c.rect(x + 1, 8 - up + lean, 1, 6, PINK);
    }
    ball(c, 21, 17 - up, 5.5, 5, FUR);
    eye(c, 22, 15 - up);
    c.rect(26, 17 - up, 1, 1, PINK);
    c.rect(22, 19 - up, 3, 1, FUR[4]);
  });
}

function cat(step: number): Canvas {
  return creature(15, 9, (c) => {
    for (const [i, x] of [8, 11, 18, 21].entries()) {
      const up = step > 0 && i % 2 === 1 ? 2 : 0;
      c.rect(x, 22, 2, 6 - up, GINGER[i % 2 === 0 ? 1 : 2]);
      c.rect(x, 26 - up, 3, 2, GINGER[4]);
    }
    c.rect(3, 9 + step, 2, 10, GINGER[2]);
    c.rect(4, 7 + step, 3, 3, GINGER[3]);
    c.rect(4, 18, 4, 2, GINGER[2]);
    ball(c, 14, 20, 9, 4.8, GINGER);
    for (const x of [9, 12, 15]) c.rect(x, 15, 1, 4, GINGER[1]);
    c.rect(19, 6, 3, 4, GINGER[2]);
    c.rect(25, 6, 3, 4, GINGER[2]);
    c.set(20, 8, PINK);
    c.set(26, 8, PINK);
    ball(c, 23.5, 13, 5.6, 5, GINGER);
    c.ellipse(25.5, 15.5, 2.6, 1.8, mix(GINGER[4], 0xffffff, 0.4));
    c.rect(22, 11, 1, 3, 0x3d6b3a);
    c.rect(26, 11, 1, 3, 0x3d6b3a);
    c.set(25, 15, PINK);
  });
}

/** Creatures that look to the east: the name alone stands, the name with `-1` is in mid-step. To the west: mirrored. */
export function creatureVisuals(): Visual[] {
  return Object.entries({ hen, sheep, rabbit, cat }).flatMap(([name, draw]) => [
    { name, picture: draw(0), footY: 27 },
    { name: `${name}-1`, picture: draw(1), footY: 27 },
  ]);
}
