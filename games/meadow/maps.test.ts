import { readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Kind } from "../../server/game.ts";
import { checkPortals, loadTiledMap } from "../../server/zone/tiled/tiled.ts";
import { createFinder } from "./make/map-finder.ts";
import { decodePng } from "./make/png.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
/** The kinds of the game, by name. */
const kinds = new Map<string, Kind>();
for (const file of await readdir(SCRIPTS)) {
  if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
  const script = (await import(pathToFileURL(join(SCRIPTS, file)).href)) as { default: Kind };
  kinds.set(basename(file, ".ts"), script.default);
}
/** Whether it stands where it is, in the way of others. */
const isStanding = (kind: string): boolean => kinds.get(kind)?.is === "object";
/** Tiles around the start in every direction where a newly made character can step. */
const FREE_AROUND_START = 6;

const FOLDER = join(import.meta.dirname, "maps");
const load = (zone: string): Promise<ZoneMap> =>
  loadTiledMap({ path: join(FOLDER, `${zone}.tmj`), zone, kinds: new Set(kinds.keys()) });

const isBarrier = (map: ZoneMap, x: number, y: number): boolean => {
  if (x < 0 || y < 0 || x >= map.width || y >= map.height) return true;
  const bit = y * map.width + x;
  return (((map.barriers[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
};

/** The tile in which something stands. */
const tileOf = (position: { x: number; y: number } | undefined): [number, number] => [
  Math.floor(position?.x ?? -1),
  Math.floor(position?.y ?? -1),
];

/** Tiles that a character can come to from the start: things that stand about are in the way, too. */
function reachable(map: ZoneMap): (x: number, y: number) => boolean {
  const taken = new Set(
    map.objects.filter((o) => isStanding(o.kind)).map((o) => tileOf(o.position).join(",")),
  );
  const isBlocked = (x: number, y: number): boolean =>
    isBarrier(map, x, y) || taken.has(`${x},${y}`);
  const start = map.spawns.find((s) => s.name === "start");
  const finder = createFinder({ width: map.width, height: map.height, isBlocked });
  const reached = finder.from(...tileOf(start?.position));
  return (x, y) => x >= 0 && x < map.width && reached.has(y * map.width + x);
}

describe.each(["town", "meadow"])("%s", (zone) => {
  it("has free space around its start", async () => {
    const map = await load(zone);
    const [x, y] = tileOf(map.spawns.find((s) => s.name === "start")?.position);
    const blocked: string[] = [];
    for (let j = y - FREE_AROUND_START; j <= y + FREE_AROUND_START; j++) {
      for (let i = x - FREE_AROUND_START; i <= x + FREE_AROUND_START; i++) {
        if (isBarrier(map, i, j)) blocked.push(`barrier at ${i},${j}`);
      }
    }
    for (const { name, position } of map.objects) {
      const away = Math.max(
        Math.abs((position?.x ?? 0) - x - 0.5),
        Math.abs((position?.y ?? 0) - y - 0.5),
      );
      if (away < FREE_AROUND_START + 1) blocked.push(name);
    }
    expect(blocked).toEqual([]);
  });

  it("lets one walk from the start to every portal, spawn and object", async () => {
    const map = await load(zone);
    const canReach = reachable(map);
    const cutOff: string[] = [];
    for (const { name, position } of map.spawns) {
      if (!canReach(...tileOf(position))) cutOff.push(name);
    }
    for (const { name, kind, position } of map.objects) {
      const [x, y] = tileOf(position);
      const beside = [
        [x + 1, y],
        [x - 1, y],
        [x, y + 1],
        [x, y - 1],
      ] as const;
      const isReached = isStanding(kind) ? beside.some(([i, j]) => canReach(i, j)) : canReach(x, y);
      if (!isReached) cutOff.push(name);
    }
    for (const { name, region } of map.portals) {
      for (let i = 0; i < (region?.width ?? 0); i++) {
        if (!canReach((region?.x ?? 0) + i, region?.y ?? 0)) cutOff.push(`${name} ${i}`);
      }
    }
    expect(cutOff).toEqual([]);
  });

  it("has no free tile that cannot be reached", async () => {
    const map = await load(zone);
    const standing = map.objects.filter((o) => isStanding(o.kind));
    const taken = new Set(standing.map((o) => tileOf(o.position).join(",")));
    const canReach = reachable(map);
    const pockets: string[] = [];
    for (let y = 0; y < map.height; y++) {
      for (let x = 0; x < map.width; x++) {
        const isFree = !isBarrier(map, x, y) && !taken.has(`${x},${y}`);
        if (isFree && !canReach(x, y)) pockets.push(`${x},${y}`);
      }
    }
    expect(pockets).toEqual([]);
  });

  it("puts things on tiles that are free of barriers", async () => {
    const map = await load(zone);
    const inside = map.objects.filter((o) => isBarrier(map, ...tileOf(o.position)));
    expect(inside.map((o) => o.name)).toEqual([]);
  });

  it("has something to read on every signpost", async () => {
    const map = await load(zone);
    const posts = map.objects.filter((o) => o.kind === "signpost");
    expect(posts.length).toBeGreaterThan(0);
    for (const { name, attributes } of posts) {
      expect([name, attributes["text"]?.kind.case]).toEqual([name, "stringValue"]);
    }
  });
});

it("joins its zones in both directions", async () => {
  const maps = await Promise.all(["town", "meadow"].map(load));
  expect(maps.map((m) => m.portals.map((p) => p.targetZone))).toEqual([["meadow"], ["town"]]);
  expect(() => checkPortals(maps)).not.toThrow();
});

it("has a map for every file, and a picture for all that they show", async () => {
  const files = await readdir(FOLDER);
  expect(files.filter((f) => f.endsWith(".tmj")).toSorted()).toEqual(["meadow.tmj", "town.tmj"]);
  const { tilesets } = await load("town");
  for (const { image, columns, tileCount } of tilesets) {
    const picture = decodePng(await readFile(join(FOLDER, "..", image)));
    expect(picture).toMatchObject({ width: columns * 32, height: (tileCount / columns) * 32 });
  }
  const tiles = join(FOLDER, "..", "tiles");
  const places = JSON.parse(await readFile(join(tiles, "visuals.json"), "utf8")) as Record<
    string,
    { x: number; y: number; width: number; height: number }
  >;
  const sheet = decodePng(await readFile(join(tiles, "visuals.png")));
  for (const kind of ["player", "chest", "bell", ...kinds.keys()]) {
    const place = places[kind];
    expect([kind, place !== undefined]).toEqual([kind, true]);
    if (place === undefined) continue;
    expect(sheet.part(place.x, place.y, place.width, place.height).isEmpty()).toBe(false);
  }
});
