import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  START,
  ground,
  object,
  parse,
  portal,
  problemsOf,
  things,
  tiledMap,
  tileset,
  withGround,
} from "./fixtures.ts";
import type { Json } from "./fixtures.ts";
import { MAX_LAYERS, MAX_NAME_LENGTH, MAX_OBJECTS, MAX_TILESETS } from "./format.ts";
import { MAX_PROBLEMS_SHOWN } from "./problems.ts";

/** Broken files, and what is said about each; `…` stands for anything. */
const BROKEN: readonly [name: string, text: string, problem: string][] = [
  ["no JSON", "{", "town.tmj: not JSON: …"],
  ["another shape", "[]", "town.tmj: Invalid input: expected object…"],
  ["no width", tiledMap([], { width: "4" }), "town.tmj: width: Invalid input: expected…"],
  ["too large", tiledMap([], { width: 1025 }), "town.tmj: width: Too big: …1024…"],
  ["infinite", tiledMap([], { infinite: true }), "town.tmj: is infinite; untick…"],
  [
    "hexagons",
    tiledMap([], { orientation: "hexagonal" }),
    "town.tmj: is hexagonal; only orthogonal maps are supported",
  ],
  [
    "tiles that are not square",
    tiledMap([], { tileheight: 16 }),
    "town.tmj: its tiles have 32 × 16 pixels; they must be square",
  ],
  [
    "an unknown tile",
    withGround({ data: [1, 1, 1, 1, 1, 1, 1, 9999, 1, 1, 1, 9999] }),
    'town.tmj: layer "ground": tile (3, 1): tile number 9999 is in no tileset (and 1 more like it)',
  ],
  [
    "the bit that turns hexagons",
    withGround({ data: [0x1000_0001, ...Array.from({ length: 11 }, () => 0)] }),
    'town.tmj: layer "ground": tile (0, 0): tile number 268435457 is in no tileset',
  ],
  [
    "a tile that is no number",
    withGround({ data: [1, 1, 1, 1, 1, "x", 1, 1, 1, 1, 1, 1] }),
    'town.tmj: layer "ground": tile (1, 1): "x" is not a tile number',
  ],
  [
    "too few tiles",
    withGround({ data: [1, 1] }),
    'town.tmj: layer "ground": data: has 2 tiles, but 4 × 3 need 12',
  ],
  [
    "too few bytes",
    withGround({ encoding: "base64", data: "AQAAAA==" }),
    'town.tmj: layer "ground": data: has 1 tiles, but 4 × 3 need 12',
  ],
  [
    "more tiles than the map has, packed",
    withGround({
      encoding: "base64",
      compression: "zlib",
      data: deflateSync(Buffer.alloc(1_000_000)).toString("base64"),
    }),
    'town.tmj: layer "ground": data: cannot be unpacked with zlib: …',
  ],
  [
    "what is not packed",
    withGround({ encoding: "base64", compression: "gzip", data: "AQAAAA==" }),
    'town.tmj: layer "ground": data: cannot be unpacked with gzip: …',
  ],
  [
    "what is not Base64",
    withGround({ encoding: "base64", data: "a,b" }),
    'town.tmj: layer "ground": data: text in Base64 was expected',
  ],
  [
    "text for CSV",
    withGround({ data: "1,1,1" }),
    'town.tmj: layer "ground": data: a list of tile numbers was expected',
  ],
  [
    "zstd",
    withGround({ encoding: "base64", compression: "zstd", data: "" }),
    'town.tmj: layer "ground": compression zstd is not supported; use gzip, zlib or none',
  ],
  [
    "an unknown encoding",
    withGround({ encoding: "xml" }),
    'town.tmj: layer "ground": encoding "xml" is unknown; use CSV or Base64',
  ],
  [
    "a layer of another size",
    withGround({ width: 3, data: [1, 1, 1, 1, 1, 1, 1, 1, 1] }),
    'town.tmj: layer "ground": has 3 × 3 tiles, but the map 4 × 3',
  ],
  [
    "chunks in a finite map",
    withGround({ data: undefined, chunks: [] }),
    'town.tmj: layer "ground": data: Invalid input…',
  ],
  [
    "two layers of one name",
    tiledMap([ground()]),
    'town.tmj: layer "ground": another layer has this name',
  ],
  [
    "a shifted layer",
    tiledMap([ground({ name: "high", offsety: -8 })]),
    'town.tmj: layer "high": must not be shifted (offset)',
  ],
  [
    "a layer without a name",
    tiledMap([ground({ name: "" })]),
    "town.tmj: layer 3: needs a name of 1 to 64 characters, with those of its groups",
  ],
  [
    "an unknown type of layer",
    tiledMap([{ name: "odd", type: "sound" }]),
    'town.tmj: layer "odd": layers of type "sound" are unknown',
  ],
  [
    "too many layers",
    tiledMap(Array.from({ length: MAX_LAYERS }, (_, i) => ground({ name: `l${i}` }))),
    "town.tmj: has 18 layers; 16 are allowed",
  ],
  [
    "an external tileset that nobody has",
    tiledMap([], { tilesets: [{ firstgid: 1, source: "a.tsj" }] }),
    'town.tmj: tileset 1: "a.tsj": cannot be read: external tilesets are not available here',
  ],
  [
    "an external tileset in XML",
    tiledMap([], { tilesets: [{ firstgid: 1, source: "a.tsx" }] }),
    'town.tmj: tileset 1: "a.tsx": is not in JSON; export it from Tiled as .tsj',
  ],
  [
    "a collection of pictures",
    tiledMap([], { tilesets: [tileset({ image: undefined, columns: 0 })] }),
    "town.tmj: tileset 1: is a collection of pictures; put the tiles into one picture",
  ],
  [
    "tiles of another size",
    tiledMap([], { tilesets: [tileset({ tilewidth: 16 })] }),
    "town.tmj: tileset 1: its tiles have 16 × 32 pixels, but the map's have 32 × 32",
  ],
  [
    "spaces between the tiles",
    tiledMap([], { tilesets: [tileset({ spacing: 1 })] }),
    "town.tmj: tileset 1: margin and spacing must be 0",
  ],
  [
    "a tile beyond the last",
    tiledMap([], { tilesets: [tileset({ tiles: [{ id: 8 }] })] }),
    "town.tmj: tileset 1: has something to say about tile 8, but only 8 tiles",
  ],
  [
    "tilesets whose numbers overlap",
    tiledMap([], { tilesets: [tileset(), tileset({ firstgid: 8, name: "more" })] }),
    'town.tmj: tilesets "basic" and "more": their tile numbers overlap',
  ],
  [
    "too many tilesets",
    tiledMap([], { tilesets: Array.from({ length: MAX_TILESETS + 1 }, () => tileset()) }),
    "town.tmj: tilesets: Too big: …32…",
  ],
  [
    "too many objects",
    tiledMap([things(...Array.from({ length: MAX_OBJECTS }, (_, id) => object({ id })))]),
    'town.tmj: layer "things": the map has more than 10000 objects',
  ],
  [
    "no start",
    tiledMap([], { layers: [ground()] }),
    'town.tmj: needs a spawn named "start", where characters begin',
  ],
  [
    "a start of creatures",
    tiledMap([], {
      layers: [ground(), things({ ...START, properties: [{ name: "kind", value: "hen" }] })],
    }),
    'town.tmj: layer "things": object 1 "start" at (0.5, 0.5): characters begin here, so it must not have a kind',
  ],
  [
    "a spawn in a barrier",
    withGround({ data: [3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] }),
    'town.tmj: layer "things": object 1 "start" at (0.5, 0.5): stands in a barrier',
  ],
  [
    "an object outside of the map",
    tiledMap([things(object({ x: 112, y: 256 }))]),
    'town.tmj: layer "things": object 14 "well" at (3.5, 8.0): is outside of the map',
  ],
  [
    "a spawn outside of the map",
    tiledMap([things(object({ type: "spawn", x: -1 }))]),
    'town.tmj: layer "things": object 14 "well" at (-0.0, 2.0): is outside of the map',
  ],
  [
    "two objects of one name",
    tiledMap([things(object({}), object({ id: 15, name: "WELL" }))]),
    'town.tmj: layer "things": object 15 "WELL" at (2.5, 2.0): object 14 already has this name',
  ],
  [
    "an object without a class",
    tiledMap([things(object({ name: "", type: "" }))]),
    'town.tmj: layer "things": object 14 at (2.5, 2.0): has no class; give it spawn, portal or a kind of the game',
  ],
  [
    "a long name",
    tiledMap([things(object({ name: "n".repeat(MAX_NAME_LENGTH + 1) }))]),
    'town.tmj: layer "things": object 14 "…" at (2.5, 2.0): name and class may have 64 characters',
  ],
  [
    "an object of another shape",
    tiledMap([things({ id: 14, x: "left", y: 0 })]),
    'town.tmj: layer "things": object 14: x: Invalid input…',
  ],
  [
    "an unknown kind",
    tiledMap([things(object({ type: "wel" }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): the game has no kind "wel"',
  ],
  [
    "a spawn of an unknown kind",
    tiledMap([things(object({ type: "spawn", properties: [{ name: "kind", value: "hne" }] }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): the game has no kind "hne"',
  ],
  [
    "a mistyped property",
    tiledMap([
      things(object({ type: "spawn", properties: [{ name: "cuont", type: "int", value: 1 }] })),
    ]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): property "cuont" is unknown here; known: kind, count, radius, respawn_s',
  ],
  [
    "too many creatures",
    tiledMap([
      things(object({ type: "spawn", properties: [{ name: "count", type: "int", value: 1001 }] })),
    ]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): property "count": 1001 is not a whole number from 0 to 1000',
  ],
  [
    "an attribute of a class",
    tiledMap([things(object({ properties: [{ name: "who", type: "object", value: 3 }] }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): property "who": the type object cannot be an attribute',
  ],
  [
    "a value of another type",
    tiledMap([things(object({ properties: [{ name: "count", type: "int", value: 1.5 }] }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): property "count": 1.5 is not of type int',
  ],
  [
    "a template",
    tiledMap([things(object({ template: "well.tj" }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): templates are not supported; detach it',
  ],
  [
    "a polygon",
    tiledMap([things(object({ polygon: [] }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): polygons and lines are not supported; use a point or a rectangle',
  ],
  [
    "a rotated object",
    tiledMap([things(object({ rotation: 45 }))]),
    'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): must not be rotated',
  ],
  [
    "a portal that leads nowhere",
    tiledMap([things(portal({ properties: [] }))]),
    'town.tmj: layer "things": object 14 "out" at (3.0, 2.5): needs the property "target_zone"',
  ],
  [
    "a portal that is a point",
    tiledMap([things(portal({ point: true, width: 0, height: 0 }))]),
    'town.tmj: layer "things": object 14 "out" at (2.5, 2.0): a portal must be a rectangle',
  ],
  [
    "a portal outside of the map",
    tiledMap([things(portal({ x: 112 }))]),
    'town.tmj: layer "things": object 14 "out" at (4.0, 2.5): is outside of the map',
  ],
  [
    "a portal of no tile",
    tiledMap([things(portal({ x: 66, width: 8 }))]),
    'town.tmj: layer "things": object 14 "out" at (2.2, 2.5): covers no tile',
  ],
  [
    "a portal in a barrier",
    tiledMap([
      ground({ name: "walls", data: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3] }),
      things(portal({ x: 96 })),
    ]),
    'town.tmj: layer "things": object 14 "out" at (3.5, 2.5): all its tiles are barriers',
  ],
];

describe("broken files", () => {
  const kinds = new Set(["well", "hen"]);

  it.each(BROKEN)("%s", (_, text, expected) => {
    const words = expected.split("…").map((part) => part.replace(/[^\w\s]/g, "\\$&"));
    expect(problemsOf(() => parse(text, { kinds }))).toEqual([
      expect.stringMatching(`^${words.join(".*")}$`),
    ]);
  });

  it("tells all problems of a file at once", () => {
    const text = tiledMap(
      [ground({ data: [1] }), things(object({ type: "wel" }), portal({ properties: [] }))],
      { tilesets: [tileset({ spacing: 2 })] },
    );
    expect(problemsOf(() => parse(text, { kinds }))).toEqual([
      "town.tmj: tileset 1: margin and spacing must be 0",
      'town.tmj: layer "ground": another layer has this name',
      'town.tmj: layer "ground": data: has 1 tiles, but 4 × 3 need 12',
      'town.tmj: layer "things": object 14 "well" at (2.5, 2.0): the game has no kind "wel"',
      'town.tmj: layer "things": object 14 "out" at (3.0, 2.5): needs the property "target_zone"',
    ]);
  });

  it("shows the first problems and counts the rest", () => {
    const wrong = Array.from({ length: 30 }, (_, id) =>
      object({ id, name: `o${id}`, rotation: 1 }),
    );
    const text = tiledMap([things(...wrong)]);
    expect(problemsOf(() => parse(text))).toHaveLength(MAX_PROBLEMS_SHOWN);
    expect(() => parse(text)).toThrow(/\n… and 10 more$/);
  });

  it("never throws anything but a MapError, whatever a file holds", () => {
    const whole = JSON.parse(tiledMap([things(object({}), portal({}))])) as Json;
    const paths = pathsOf(whole);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const text = JSON.stringify(replaced(whole, path, value));
        expect(() => problemsOf(() => parse(text))).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, v]) => pathsOf(v, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Json;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}
