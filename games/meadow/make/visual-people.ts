import { createCanvas, mix } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import {
  GOLD,
  INK,
  LEAF,
  PLASTER,
  ROYAL,
  SCARLET,
  SHADOW,
  SKIN,
  STEEL,
  VIOLET,
  WOOD,
} from "./palette.ts";
import type { Ramp } from "./palette.ts";
import type { Visual } from "./visual-sheet.ts";

/** How somebody looks. */
interface Look {
  readonly skin: Ramp;
  readonly hair: Ramp;
  readonly coat: Ramp;
  readonly legs: Ramp;
  readonly wears?: "helmet" | "tricorn";
  readonly holds?: "spear" | "bell";
}

type Direction = "south" | "north" | "east";
const DIRECTIONS: readonly Direction[] = ["south", "north", "east"];
/** Standing, left foot forward, right foot forward. */
const FRAMES = [0, 1, 2] as const;
type Frame = (typeof FRAMES)[number];

const WIDTH = 32;
const HEIGHT = 48;
const OUTLINE: Color = 0x2a2136;

const BLACK_HAIR: Ramp = [0x1e1a26, 0x2e2836, 0x443a46, 0x5c4f58, 0x776a70];
const BLOND: Ramp = [0x9a6a2c, 0xc28f3c, 0xe3b857, 0xf3d57d, 0xfcebaa];
const GREY: Ramp = [0x6f7078, 0x94959a, 0xb9babb, 0xd6d6d3, 0xf0f0ea];
const DARK_SKIN: Ramp = [0x4b2c22, 0x6b4130, 0x8e5a40, 0xac7453, 0xc7926d];
const SLATE: Ramp = [0x2a2f45, 0x3a415a, 0x4e5772, 0x69738c, 0x8e97aa];

const LOOKS: Readonly<Record<string, Look>> = {
  player: { skin: SKIN, hair: WOOD, coat: ROYAL, legs: SLATE },
  "player-2": { skin: DARK_SKIN, hair: BLACK_HAIR, coat: LEAF, legs: WOOD },
  "player-3": { skin: SKIN, hair: BLOND, coat: SCARLET, legs: SLATE },
  "player-4": { skin: SKIN, hair: BLACK_HAIR, coat: VIOLET, legs: WOOD },
  "gate-guard": {
    skin: SKIN,
    hair: WOOD,
    coat: STEEL,
    legs: SLATE,
    wears: "helmet",
    holds: "spear",
  },
  crier: { skin: SKIN, hair: GREY, coat: SCARLET, legs: PLASTER, wears: "tricorn", holds: "bell" },
};

function person(look: Look, direction: Direction, frame: Frame): Canvas {
  const canvas = createCanvas(WIDTH, HEIGHT);
  canvas.ellipse(16, 44.5, 9, 3, SHADOW, 80);
  const body = createCanvas(WIDTH, HEIGHT);
  // The body rises a little at each step.
  const lift = frame === 0 ? 0 : 1;
  if (direction === "north") hold(body, look, direction, frame, lift);
  legs(body, look, direction, frame);
  torso(body, look, direction, frame, lift);
  head(body, look, direction, lift);
  if (direction !== "north") hold(body, look, direction, frame, lift);
  body.outline(OUTLINE);
  canvas.draw(body, 0, 0);
  return canvas;
}

function legs(c: Canvas, { legs: ramp }: Look, direction: Direction, frame: Frame): void {
  const leg = (x: number, bottom: number, isFar: boolean): void => {
    const color = isFar ? ramp[1] : ramp[2];
    c.rect(x, 35, 4, bottom - 35, color);
    c.rect(x + 3, 35, 1, bottom - 35, mix(color, ramp[0], 0.6));
    c.rect(x, bottom - 3, 4, 3, WOOD[0]);
    c.rect(x, bottom - 3, 3, 1, WOOD[1]);
  };
  if (direction === "east") {
    const stride = [0, 3, -3][frame] ?? 0;
    leg(14 - stride, frame === 0 ? 45 : 44, true);
    leg(14 + stride, 45, false);
    return;
  }
  leg(11, frame === 1 ? 43 : 45, false);
  leg(17, frame === 2 ? 43 : 45, false);
}

function torso(c: Canvas, look: Look, direction: Direction, frame: Frame, lift: number): void {
  const { coat } = look;
  const top = 26 - lift;
  const [from, to] = direction === "east" ? [11, 21] : [10, 22];
  for (let y = top; y < 38 - lift; y++) {
    const flare = y > 34 ? 1 : 0;
    for (let x = from - flare; x < to + flare; x++) {
      const side = (x - from) / (to - from);
      const level = side < 0.2 ? 3 : side > 0.78 ? 1 : 2;
      c.set(x, y, coat[level]);
    }
  }
  c.rect(from, top + 8, to - from, 2, WOOD[1]);
  if (direction === "south") {
    c.rect(15, top + 8, 2, 2, GOLD[3]);
    c.rect(14, top, 4, 2, look.skin[2]);
    if (look.wears === "tricorn") for (const y of [2, 5]) c.rect(15, top + y, 2, 1, GOLD[4]);
  }
  arms(c, look, direction, frame, top);
}

function arms(
  c: Canvas,
  { coat, skin }: Look,
  direction: Direction,
  frame: Frame,
  top: number,
): void {
  const arm = (x: number, y: number, ramp: Color): void => {
    c.rect(x, y, 3, 7, ramp);
    c.rect(x, y + 7, 3, 2, skin[2]);
  };
  const swing = [0, 1, -1][frame] ?? 0;
  if (direction === "east") {
    arm(14 - swing * 2, top + 1, coat[1]);
    c.rect(13 - swing * 2, top + 2, 1, 6, coat[0]);
    return;
  }
  arm(7, top + 1 + swing, coat[3]);
  arm(22, top + 1 - swing, coat[1]);
}

function head(c: Canvas, look: Look, direction: Direction, lift: number): void {
  const { skin, hair } = look;
  const y = 17 - lift;
  c.ellipse(16, y, 8, 8, skin[3]);
  c.ellipse(16, y + 4, 7, 4, skin[2]);
  c.ellipse(15.5, y + 1, 7, 6, skin[3]);
  if (direction === "north") {
    c.ellipse(16, y - 1, 8.6, 8.6, hair[1]);
    c.ellipse(15, y - 2, 7, 6.5, hair[2]);
    c.ellipse(13, y - 5, 3, 2, hair[3]);
  } else {
    const eyes = direction === "south" ? [12, 18] : [19];
    for (const x of eyes) {
      c.rect(x, y, 2, 4, INK);
      c.set(x, y, 0xffffff);
    }
    c.rect(direction === "south" ? 10 : 20, y + 4, 2, 1, 0xe58f7c);
    if (direction === "south") c.rect(20, y + 4, 2, 1, 0xe58f7c);
    fringe(c, hair, direction, y);
  }
  if (look.wears === "helmet") helmet(c, direction, y);
  if (look.wears === "tricorn") tricorn(c, y);
}

function fringe(c: Canvas, hair: Ramp, direction: Direction, y: number): void {
  for (let j = -9; j <= 5; j++) {
    for (let i = -9; i <= 9; i++) {
      if ((i / 8.8) ** 2 + ((j + 0.5) / 9) ** 2 > 1) continue;
      const isTop = j < -2 - (Math.abs(i + 2) % 4 === 0 ? 1 : 0);
      const isSide =
        direction === "south" ? Math.abs(i) > 6 && j < 3 : i < -1 && j < 4 - (i + 8) * 0.3;
      if (!isTop && !isSide) continue;
      const level = i + j < -8 ? 3 : i > 4 ? 1 : 2;
      c.set(16 + i, y + j, hair[level]);
    }
  }
}

function helmet(c: Canvas, direction: Direction, y: number): void {
  for (let j = -10; j <= -2; j++) {
    for (let i = -9; i <= 9; i++) {
      if ((i / 9.2) ** 2 + ((j + 0.5) / 10) ** 2 > 1) continue;
      c.set(16 + i, y + j, STEEL[i < -4 ? 3 : i < 0 ? 4 : i < 5 ? 2 : 1]);
    }
  }
  c.rect(7, y - 2, 18, 2, STEEL[1]);
  c.rect(7, y - 2, 18, 1, STEEL[3]);
  if (direction === "south") c.rect(15, y, 2, 3, STEEL[2]);
  c.rect(14, y - 14, 4, 4, SCARLET[2]);
  c.rect(14, y - 14, 2, 4, SCARLET[3]);
}

function tricorn(c: Canvas, y: number): void {
  c.ellipse(16, y - 6, 12, 3.4, SLATE[0]);
  c.ellipse(16, y - 9, 7, 4, SLATE[1]);
  c.ellipse(14, y - 10, 4, 2, SLATE[2]);
  c.rect(5, y - 7, 22, 1, GOLD[3]);
  c.rect(8, y - 5, 16, 1, GOLD[2]);
}

function hold(c: Canvas, look: Look, direction: Direction, frame: Frame, lift: number): void {
  const y = 34 - lift - ([0, 1, -1][frame] ?? 0);
  const x = direction === "east" ? 22 : 24;
  if (look.holds === "spear") {
    c.rect(x, y - 26, 2, 36, WOOD[2]);
    c.rect(x, y - 26, 1, 36, WOOD[3]);
    c.rect(x - 1, y - 29, 4, 4, STEEL[3]);
    c.rect(x, y - 32, 2, 3, STEEL[4]);
  }
  if (look.holds === "bell") {
    c.rect(x - 1, y - 3, 3, 3, WOOD[2]);
    c.rect(x - 2, y, 5, 4, GOLD[3]);
    c.rect(x - 3, y + 3, 7, 2, GOLD[2]);
    c.set(x - 2, y, GOLD[4]);
    c.rect(x, y + 5, 1, 1, INK);
  }
}

/**
 * People, each with nine pictures: `player-east-1` looks to the east, in the first step. The name alone is
 * the picture that stands and looks to the south. To the west: the east's, mirrored.
 */
export function peopleVisuals(): Visual[] {
  return Object.entries(LOOKS).flatMap(([name, look]) => [
    { name, picture: person(look, "south", 0), footY: 44 },
    ...DIRECTIONS.flatMap((direction) =>
      FRAMES.map((frame) => ({
        name: `${name}-${direction}-${frame}`,
        picture: person(look, direction, frame),
        footY: 44,
      })),
    ),
  ]);
}
