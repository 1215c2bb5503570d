import { createDice } from "./dice.ts";
import type { Dice } from "./dice.ts";
import { createMapDraft } from "./map-draft.ts";
import type { MapDraft } from "./map-draft.ts";
import { buildBridge, buildFence, buildHouse, growWood, scatter } from "./map-parts.ts";

const WIDTH = 80;
const HEIGHT = 64;
/** Columns of the way to the town. */
const WAY = { x: 34, width: 3 };
/** The middle row of the bridge. */
const BRIDGE_Y = 31;

const RIVER = [
  [50, -1],
  [51, 6],
  [55, 12],
  [56, 19],
  [53, 25],
  [53, 37],
  [56, 43],
  [55, 50],
  [51, 56],
  [52, 65],
] as const;

/** The meadow: woods on hills, a river with a bridge, sheep and rabbits. */
export function drawMeadow(): string {
  const dice = createDice(1913);
  const draft = createMapDraft({ width: WIDTH, height: HEIGHT, dice });
  draft.layAlong("water", RIVER, 4);
  draft.layRound("water", 15, 44, 6, 3.6);
  draft.layRound("water", 18, 46, 4, 3);
  layPaths(draft);
  buildBridge(draft, BRIDGE_Y, 49, 56);
  build(draft);
  inhabit(draft);
  draft.reserve(28, 44, 15, 15);
  draft.reserve(WAY.x - 1, 56, WAY.width + 2, 8);
  plantWoods(draft, dice);
  plantFlowers(draft, dice);
  draft.closePockets(35, 51, dice);
  return draft.toText();
}

function layPaths(draft: MapDraft): void {
  draft.layAlong(
    "path",
    [
      [35.5, 65],
      [35.5, 57],
      [36, 48],
      [38, 40],
      [42, 33],
      [44, 31.5],
      [48.5, 31.5],
    ],
    2,
  );
  draft.layAlong(
    "path",
    [
      [57, 31.5],
      [62, 31.5],
      [66, 28],
      [67, 22],
      [66, 17],
    ],
    2,
  );
  draft.layAlong(
    "path",
    [
      [38, 40],
      [30, 37],
      [23, 33],
      [17, 26],
      [16, 21],
      [16, 17.5],
    ],
    1,
  );
  draft.layRound("cobble", 66, 14, 4.2, 3.6);
}

function build(draft: MapDraft): void {
  buildHouse(draft, {
    x: 13,
    y: 11,
    width: 6,
    roofRows: 3,
    roof: "straw",
    chimney: 4,
    door: { column: 3, tile: "door" },
    front: { 1: "window-lit", 4: "window" },
  });
  buildFence(draft, { x: 20, y: 15, width: 13, height: 9 }, [
    [20, 19],
    [20, 20],
  ]);
  const deco: [number, number, string][] = [
    [12, 16, "barrel"],
    [11, 16, "hay"],
    [11, 15, "hay"],
    [31, 16, "hay"],
    [30, 16, "hay"],
    [34, 12, "boulder-1"],
    [8, 22, "stump"],
    [9, 23, "mushrooms"],
    [11, 43, "lilies"],
    [16, 45, "lilies"],
    [18, 47, "lilies"],
    [53, 9, "lilies"],
    [56, 46, "lilies"],
  ];
  for (const [x, y, tile] of deco) draft.put("decoration", x, y, tile);
  draft.putAll("decoration", 64, 12, "compass", 3, 3);
  // A ring of old stones around the end of the eastern path.
  for (let n = 0; n < 9; n++) {
    const angle = (n / 10) * Math.PI * 2 + Math.PI * 0.7;
    const [x, y] = [66 + Math.cos(angle) * 6.4, 14 + Math.sin(angle) * 5.6];
    draft.put("decoration", Math.floor(x), Math.floor(y), n % 3 === 0 ? "boulder-1" : "boulder-0");
  }
  for (let x = 51; x < 55; x++) draft.putGround(x, BRIDGE_Y + 2, "bridge-shadow");
  for (let x = WAY.x; x < WAY.x + WAY.width; x++) draft.put("decoration", x, HEIGHT - 1, "portal");
}

function inhabit(draft: MapDraft): void {
  const object = (kind: string, name: string, x: number, y: number, properties = {}): void =>
    draft.add({ layer: "objects", name, kind, x, y, properties });
  const spawn = (name: string, x: number, y: number, properties = {}): void =>
    draft.add({ layer: "spawns", name, kind: "spawn", x, y, properties });
  object("signpost", "signpost-town", 38.5, 60.5, {
    text: "South: the town, its well and its soup.",
  });
  object("signpost", "signpost-fork", 36.5, 38.5, {
    text: "West: the shepherd's house. East: the bridge and the old stones.",
  });
  object("signpost", "signpost-bridge", 46.5, 29.5, {
    text: "This bridge carries one cart, six sheep or any number of rabbits.",
  });
  object("signpost", "signpost-stones", 69.5, 19.5, {
    text: "Nobody knows who put these stones here. They do not say.",
  });
  object("lantern", "lantern-gate-1", 32.5, 61.5);
  object("lantern", "lantern-bridge-1", 47.5, 33.5);
  object("lantern", "lantern-bridge-2", 59.5, 29.5);
  object("lantern", "lantern-house", 14.5, 17.5);
  object("well", "meadow-well", 22.5, 12.5, { count: 0 });
  object("cat", "shepherds-cat", 13.5, 18.5);
  spawn("start", 35.5, 51.5, { radius: 2 });
  spawn("from-town", 35.5, 60.5);
  spawn("sheep-fold", 26.5, 19.5, { kind: "sheep", count: 5, radius: 3, respawn_s: 60 });
  spawn("sheep-west", 26.5, 46, { kind: "sheep", count: 4, radius: 3, respawn_s: 60 });
  spawn("sheep-east", 66.5, 40.5, { kind: "sheep", count: 6, radius: 4, respawn_s: 60 });
  spawn("rabbits-north", 40.5, 18.5, { kind: "rabbit", count: 5, radius: 4, respawn_s: 45 });
  spawn("rabbits-south", 44.5, 55.5, { kind: "rabbit", count: 4, radius: 3, respawn_s: 45 });
  spawn("rabbits-stones", 66.5, 14.5, { kind: "rabbit", count: 3, radius: 3, respawn_s: 45 });
  spawn("hens-house", 16.5, 19.5, { kind: "hen", count: 3, radius: 1.5, respawn_s: 60 });
  for (const [x, y, r] of [
    [26, 19, 5],
    [26, 46, 4],
    [66, 40, 5],
    [40, 18, 5],
    [44, 55, 4],
    [16, 19, 2],
  ] as const) {
    draft.reserve(x - r, y - r, r * 2 + 1, r * 2 + 1);
  }
  draft.add({
    layer: "portals",
    name: "to-town",
    kind: "portal",
    x: WAY.x,
    y: HEIGHT - 1,
    width: WAY.width,
    height: 1,
    properties: { target_zone: "town", target_spawn: "from-meadow" },
  });
}

function plantWoods(draft: MapDraft, dice: Dice): void {
  const broad = {
    big: ["oak", "oak", "oak", "oak", "oak", "maple"],
    small: ["sapling", "birch", "sapling"],
  };
  const firs = { big: [], small: ["fir", "fir", "fir-dark"] };
  const mixed = {
    big: ["oak", "oak", "oak", "maple"],
    small: ["fir", "sapling", "birch", "fir-dark"],
  };
  for (const wood of [
    { x: 6, y: 8, rx: 9, ry: 10, density: 0.8, ...firs },
    { x: 36, y: 5, rx: 12, ry: 7, density: 0.75, ...mixed },
    { x: 22, y: 3, rx: 8, ry: 4, density: 0.8, ...firs },
    { x: 5, y: 32, rx: 8, ry: 9, density: 0.75, ...broad },
    { x: 5, y: 56, rx: 9, ry: 8, density: 0.8, ...mixed },
    { x: 23, y: 58, rx: 8, ry: 6, density: 0.75, ...broad },
    { x: 35, y: 29, rx: 5, ry: 4.5, density: 0.7, ...broad },
    { x: 46, y: 47, rx: 5, ry: 5, density: 0.7, ...mixed },
    { x: 44, y: 63, rx: 8, ry: 3, density: 0.8, ...firs },
    { x: 65, y: 3, rx: 14, ry: 5, density: 0.8, ...firs },
    { x: 77, y: 16, rx: 4, ry: 14, density: 0.85, ...mixed },
    { x: 76, y: 34, rx: 5, ry: 8, density: 0.75, ...broad },
    { x: 70, y: 56, rx: 13, ry: 9, density: 0.75, ...mixed },
    { x: 61, y: 23, rx: 3.4, ry: 5, density: 0.6, ...broad },
    { x: 46, y: 13, rx: 4, ry: 5, density: 0.6, ...broad },
  ]) {
    growWood(draft, dice, wood);
  }
  for (const [x, y] of [
    [44, 26],
    [30, 41],
    [62, 35],
    [70, 30],
    [10, 39],
    [23, 29],
  ] as const)
    draft.tree("oak", x, y);
  for (const [x, y] of [
    [70, 20],
    [62, 19],
  ] as const)
    draft.tree("cherry", x, y);
}

function plantFlowers(draft: MapDraft, dice: Dice): void {
  const patches: [number, number, string][] = [
    [40, 18, "flowers-mixed"],
    [30, 48, "flowers-red"],
    [42, 50, "flowers-yellow"],
    [66, 41, "flowers-violet"],
    [22, 38, "flowers-white"],
    [62, 47, "flowers-mixed"],
    [45, 57, "flowers-violet"],
    [28, 29, "flowers-yellow"],
    [70, 26, "flowers-red"],
    [35, 56, "flowers-white"],
  ];
  for (const [x, y, tile] of patches) {
    for (let n = 0; n < 22; n++) {
      const [dx, dy] = [
        dice.next() + dice.next() + dice.next() - 1.5,
        dice.next() + dice.next() + dice.next() - 1.5,
      ];
      draft.plant(tile, Math.round(x + dx * 5), Math.round(y + dy * 4));
    }
  }
  const all = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
  scatter(draft, dice, all, {
    "tall-grass-0": 90,
    "tall-grass-1": 90,
    "flowers-mixed": 30,
    "bush-0": 22,
    "bush-berries": 12,
    "boulder-0": 8,
    pebbles: 20,
    mushrooms: 8,
    stump: 5,
  });
}
