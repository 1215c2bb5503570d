import { createDice } from "./dice.ts";
import { createMapDraft } from "./map-draft.ts";
import type { MapDraft } from "./map-draft.ts";
import { buildFence, buildHouse, buildWall, growWood, scatter } from "./map-parts.ts";

const WIDTH = 52;
const HEIGHT = 44;
/** Columns of the way through the gate. */
const WAY = { x: 24, width: 3 };

/** The town: a square behind a wall, with houses, a pond, a field and hens. */
export function drawTown(): string {
  const dice = createDice(2026);
  const draft = createMapDraft({ width: WIDTH, height: HEIGHT, dice });
  pave(draft);
  build(draft);
  furnish(draft);
  people(draft);
  // Room to step in every direction for whoever is new.
  draft.reserve(18, 17, 15, 15);
  draft.reserve(WAY.x - 1, 0, WAY.width + 2, 14);

  for (const [x, y] of [
    [16, 17],
    [35, 17],
    [16, 33],
    [35, 33],
  ] as const)
    draft.tree("cherry", x, y);
  for (const [x, y] of [
    [12, 20],
    [39, 27],
    [12, 30],
  ] as const)
    draft.tree("oak", x, y);
  draft.tree("maple", 39, 36);
  const edge = { big: ["oak", "oak", "maple"], small: ["fir", "fir-dark", "birch", "sapling"] };
  growWood(draft, dice, { x: 8, y: 2, rx: 15, ry: 3, density: 0.75, ...edge });
  growWood(draft, dice, { x: 44, y: 2, rx: 15, ry: 3, density: 0.75, ...edge });
  growWood(draft, dice, { x: 0, y: 25, rx: 2.4, ry: 20, density: 0.9, ...edge, big: [] });
  growWood(draft, dice, { x: 51, y: 25, rx: 2.6, ry: 20, density: 0.9, ...edge, big: [] });
  growWood(draft, dice, { x: 8, y: 42, rx: 10, ry: 5, density: 0.8, ...edge });
  growWood(draft, dice, { x: 45, y: 42, rx: 9, ry: 3.4, density: 0.8, ...edge });
  growWood(draft, dice, { x: 26, y: 45, rx: 17, ry: 2.6, density: 0.9, ...edge, big: [] });
  const town = { x: 2, y: 7, width: WIDTH - 4, height: HEIGHT - 9 };
  scatter(draft, dice, town, {
    "flowers-mixed": 22,
    "flowers-red": 10,
    "flowers-white": 12,
    "flowers-yellow": 12,
    "tall-grass-0": 14,
    "bush-blossom": 8,
    "bush-0": 6,
    pebbles: 5,
  });
  draft.closePockets(25, 24, dice);
  return draft.toText();
}

function pave(draft: MapDraft): void {
  draft.lay("cobble", 16, 15, 20, 17);
  draft.lay("cobble", 15, 17, 22, 13);
  draft.lay("cobble", 23, 7, 5, 9);
  draft.lay("path", WAY.x, 0, WAY.width, 6);
  // The street before the northern houses, and the ways to the others.
  draft.lay("path", 9, 14, 14, 1);
  draft.lay("path", 28, 14, 14, 1);
  draft.lay("path", 11, 13, 1, 1);
  draft.lay("path", 18, 13, 1, 1);
  draft.lay("path", 32, 13, 1, 1);
  draft.lay("path", 40, 13, 1, 1);
  draft.lay("path", 6, 24, 9, 1);
  draft.lay("path", 6, 23, 1, 1);
  draft.lay("path", 6, 33, 1, 2);
  draft.layAlong(
    "path",
    [
      [6.5, 35.5],
      [13, 35.5],
      [20, 35.5],
    ],
    1,
  );
  draft.lay("path", 37, 23, 8, 1);
  draft.lay("path", 44, 22, 1, 1);
  draft.lay("path", 24, 32, 3, 4);
  draft.lay("path", 19, 35, 16, 1);
  draft.layRound("water", 44.5, 31.5, 5.2, 3.6);
  draft.layRound("water", 46, 33, 3.4, 3.2);
}

function build(draft: MapDraft): void {
  buildWall(draft, 5, WAY.x - 1);
  buildHouse(draft, {
    x: 8,
    y: 8,
    width: 8,
    roofRows: 3,
    roof: "red",
    chimney: 6,
    door: { column: 3, tile: "door" },
    front: { 1: "window-lit", 4: "sign-inn", 6: "window-lit" },
  });
  buildHouse(draft, {
    x: 17,
    y: 8,
    width: 5,
    roofRows: 3,
    roof: "straw",
    door: { column: 1, tile: "door-blue" },
    front: { 3: "window" },
  });
  buildHouse(draft, {
    x: 30,
    y: 8,
    width: 6,
    roofRows: 3,
    roof: "blue",
    chimney: 1,
    door: { column: 2, tile: "door" },
    front: { 1: "sign-smith", 4: "window-lit" },
  });
  buildHouse(draft, {
    x: 38,
    y: 8,
    width: 7,
    roofRows: 3,
    roof: "red",
    chimney: 5,
    door: { column: 2, tile: "door-red" },
    front: { 4: "window", 5: "window" },
  });
  buildHouse(draft, {
    x: 4,
    y: 18,
    width: 6,
    roofRows: 3,
    roof: "blue",
    chimney: 1,
    door: { column: 2, tile: "door-red" },
    front: { 1: "window", 4: "window-lit" },
  });
  buildHouse(draft, {
    x: 4,
    y: 28,
    width: 6,
    roofRows: 3,
    roof: "straw",
    chimney: 4,
    door: { column: 2, tile: "door" },
    front: { 1: "window", 4: "window" },
  });
  buildHouse(draft, {
    x: 42,
    y: 17,
    width: 6,
    roofRows: 3,
    roof: "straw",
    chimney: 4,
    door: { column: 2, tile: "door-blue" },
    front: { 1: "window-lit", 4: "window" },
  });
  buildFence(draft, { x: 15, y: 37, width: 10, height: 5 }, [[20, 37]]);
  buildFence(draft, { x: 28, y: 37, width: 9, height: 5 }, [[30, 37]]);
  draft.reserve(15, 37, 22, 5);
}

function furnish(draft: MapDraft): void {
  for (let y = 39; y < 41; y++) {
    for (let x = 30; x < 36; x++) draft.put("decoration", x, y, y === 39 ? "crops" : "crops-ripe");
  }
  const deco: [number, number, string][] = [
    [16, 38, "hay"],
    [17, 38, "hay"],
    [23, 40, "barrel"],
    [7, 14, "barrel"],
    [7, 13, "barrel"],
    [15, 13, "crate"],
    [36, 13, "crate"],
    [37, 13, "barrel"],
    [29, 13, "hay"],
    [21, 15, "bench"],
    [29, 15, "bench"],
    [22, 9, "flower-pot"],
    [28, 9, "flower-pot"],
    [22, 12, "flower-pot"],
    [28, 12, "flower-pot"],
    [9, 23, "crate"],
    [47, 22, "hay"],
    [41, 22, "barrel"],
    [9, 33, "barrel"],
    [39, 30, "reeds"],
    [50, 34, "reeds"],
    [40, 34, "boulder-1"],
  ];
  for (const [x, y, tile] of deco) draft.put("decoration", x, y, tile);
  draft.putAll("decoration", 15, 20, "stall-red", 3, 2);
  draft.putAll("decoration", 15, 25, "stall-blue", 3, 2);
  draft.putAll("decoration", 34, 20, "stall-blue", 3, 2);
  draft.put("decoration", 33, 21, "crate");
  draft.put("decoration", 44, 31, "lilies");
  draft.put("decoration", 47, 33, "lilies");
  draft.putAll("decoration", 24, 23, "compass", 3, 3);
  for (let x = WAY.x; x < WAY.x + WAY.width; x++) draft.put("decoration", x, 0, "portal");
}

function people(draft: MapDraft): void {
  const object = (kind: string, name: string, x: number, y: number, properties = {}): void =>
    draft.add({ layer: "objects", name, kind, x, y, properties });
  const spawn = (name: string, x: number, y: number, properties = {}): void =>
    draft.add({ layer: "spawns", name, kind: "spawn", x, y, properties });
  object("well", "well", 25.5, 15.5, { count: 0 });
  object("signpost", "signpost-square", 28.5, 16.5, {
    text: "Welcome! North: the gate and the meadow. West: the inn. East: the pond. South: the hens.",
  });
  object("signpost", "signpost-gate", 27.5, 8.5, {
    text: "Beyond the gate lies the meadow. Mind the sheep.",
  });
  object("signpost", "signpost-inn", 13.5, 13.5, { text: "The Sleepy Hen. Soup, bread and beds." });
  object("signpost", "signpost-pond", 40.5, 25.5, {
    text: "Please do not feed the fish. There are none.",
  });
  object("signpost", "signpost-pen", 21.5, 36.5, {
    text: "Hens. Close the gate behind you, if you find one.",
  });
  const lanterns = [
    [18.5, 16.5],
    [33.5, 16.5],
    [18.5, 31.5],
    [32.5, 31.5],
    [23.5, 8.5],
    [12.5, 23.5],
    [38.5, 22.5],
  ] as const;
  for (const [i, [x, y]] of lanterns.entries()) object("lantern", `lantern-${i + 1}`, x, y);
  object("gate-guard", "gate-guard", 25.5, 10.5);
  object("crier", "crier", 22.5, 16.5);
  object("cat", "cat", 11.5, 15.5);
  spawn("start", 25.5, 24.5, { radius: 2 });
  spawn("from-meadow", 25.5, 3.5);
  spawn("hens", 20.5, 39.5, { kind: "hen", count: 6, radius: 1.5, respawn_s: 30 });
  spawn("hens-inn", 12.5, 17, { kind: "hen", count: 2, radius: 1, respawn_s: 60 });
  spawn("rabbits-field", 38.5, 39.5, { kind: "rabbit", count: 2, radius: 1, respawn_s: 45 });
  draft.add({
    layer: "portals",
    name: "to-meadow",
    kind: "portal",
    x: WAY.x,
    y: 0,
    width: WAY.width,
    height: 1,
    properties: { target_zone: "meadow", target_spawn: "from-town" },
  });
  draft.reserve(9, 15, 6, 3);
  draft.reserve(36, 38, 5, 3);
}
