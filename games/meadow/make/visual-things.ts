import { createCanvas, mix } from "./canvas.ts";
import type { Canvas } from "./canvas.ts";
import { GOLD, INK, SHADOW, STONE, WOOD } from "./palette.ts";
import { signpost, well } from "./tile-props.ts";
import type { Visual } from "./visual-sheet.ts";

const EDGE = mix(WOOD[0], 0, 0.4);

function thing(width: number, height: number, shadowRx: number, draw: (c: Canvas) => void): Canvas {
  const canvas = createCanvas(width, height);
  canvas.ellipse(width / 2, height - 4, shadowRx, 3, SHADOW, 80);
  const body = createCanvas(width, height);
  draw(body);
  body.outline(EDGE);
  canvas.draw(body, 0, 0);
  return canvas;
}

function lantern(isLit: boolean): Canvas {
  const canvas = thing(32, 56, 7, (c) => {
    c.rect(11, 49, 10, 4, 0x4b4b57);
    c.rect(11, 49, 10, 1, 0x8a8c99);
    c.rect(14, 20, 4, 30, 0x4b4b57);
    c.rect(14, 20, 1, 30, 0x767886);
    c.rect(12, 19, 8, 2, 0x62646f);
    c.rect(10, 7, 12, 12, 0x3a3a46);
    c.rect(11, 8, 10, 10, isLit ? GOLD[3] : 0x7e95a8);
    c.rect(13, 10, 5, 7, isLit ? 0xfff4c4 : 0xa7bbc9);
    c.rect(15, 8, 1, 10, 0x3a3a46);
    for (let i = 0; i < 4; i++) c.rect(9 + i * 2, 6 - i, 14 - i * 4, 1, 0x4b4b57);
    c.rect(15, 1, 2, 2, 0x767886);
  });
  if (!isLit) return canvas;
  const glowing = createCanvas(32, 56);
  for (let r = 15; r > 8; r -= 2) glowing.ellipse(16, 14, r, r * 0.92, GOLD[4], 22);
  glowing.draw(canvas, 0, 0);
  return glowing;
}

function chest(isOpen: boolean): Canvas {
  return thing(32, 32, 12, (c) => {
    if (isOpen) {
      c.rect(4, 4, 24, 9, WOOD[1]);
      c.rect(6, 6, 20, 6, WOOD[0]);
      c.rect(5, 12, 22, 4, INK);
      for (let i = 0; i < 6; i++) c.ellipse(8 + i * 3.2, 14, 2.4, 2, GOLD[i % 2 === 0 ? 3 : 4]);
    } else {
      for (let y = 7; y < 16; y++)
        c.rect(4 + (y < 9 ? 2 : 0), y, 24 - (y < 9 ? 4 : 0), 1, y < 10 ? WOOD[4] : WOOD[3]);
    }
    c.rect(4, 16, 24, 12, WOOD[2]);
    c.rect(4, 16, 24, 1, WOOD[0]);
    c.rect(4, 22, 24, 1, WOOD[1]);
    for (const x of [6, 23]) {
      c.rect(x, isOpen ? 16 : 7, 3, isOpen ? 12 : 21, GOLD[2]);
      c.rect(x, isOpen ? 16 : 7, 1, isOpen ? 12 : 21, GOLD[3]);
    }
    c.rect(13, 14, 6, 7, GOLD[2]);
    c.rect(13, 14, 6, 1, GOLD[4]);
    c.rect(15, 17, 2, 3, INK);
  });
}

/** A bell in a frame of wood. */
function bell(): Canvas {
  return thing(32, 48, 12, (c) => {
    for (const x of [4, 25]) {
      c.rect(x, 8, 3, 36, WOOD[2]);
      c.rect(x, 8, 1, 36, WOOD[3]);
      c.rect(x - 2, 41, 7, 3, WOOD[1]);
    }
    for (let i = 0; i < 7; i++) c.rect(1 + i, 9 - i, 30 - i * 2, 1, i > 4 ? WOOD[4] : WOOD[3]);
    c.rect(1, 10, 30, 2, WOOD[1]);
    c.rect(15, 12, 2, 4, 0x4b4b57);
    for (let y = 15; y < 31; y++) {
      const half = 4 + (y > 27 ? 4 : (y - 15) * 0.2 + (y > 23 ? (y - 23) * 0.4 : 0));
      for (let x = Math.ceil(16 - half); x < 16 + half; x++) {
        const side = (x - 16) / half;
        c.set(x, y, GOLD[side < -0.5 ? 3 : side < -0.15 ? 4 : side < 0.4 ? 2 : 1]);
      }
    }
    c.rect(15, 31, 2, 3, 0x4b4b57);
  });
}

function coins(): Canvas {
  return thing(32, 32, 9, (c) => {
    for (const [x, y] of [
      [10, 24],
      [19, 25],
      [15, 20],
    ] as const) {
      c.ellipse(x, y + 1, 5, 3, GOLD[1]);
      c.ellipse(x, y, 5, 3, GOLD[3]);
      c.ellipse(x - 1, y - 0.5, 2.4, 1.2, GOLD[4]);
    }
  });
}

function gravestone(): Canvas {
  return thing(32, 32, 11, (c) => {
    c.ellipse(16, 13, 9, 9, STONE[2]);
    c.rect(7, 13, 18, 15, STONE[2]);
    c.rect(7, 12, 2, 16, STONE[3]);
    c.rect(23, 12, 2, 16, STONE[1]);
    c.rect(15, 10, 2, 9, STONE[0]);
    c.rect(12, 12, 8, 2, STONE[0]);
    c.rect(5, 26, 22, 3, STONE[1]);
  });
}

/** Things; what can be lit or opened has a second picture. */
export function thingVisuals(): Visual[] {
  return [
    { name: "signpost", picture: signpost(), footY: 28 },
    { name: "well", picture: well(), footY: 50 },
    { name: "lantern", picture: lantern(true), footY: 51 },
    { name: "lantern-dark", picture: lantern(false), footY: 51 },
    { name: "chest", picture: chest(false), footY: 26 },
    { name: "chest-open", picture: chest(true), footY: 26 },
    { name: "bell", picture: bell(), footY: 43 },
    { name: "coins", picture: coins(), footY: 26 },
    { name: "gravestone", picture: gravestone(), footY: 27 },
  ];
}
