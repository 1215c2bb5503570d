import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { TILE, ground, parse, things, tiledMap, tileset } from "./fixtures.ts";
import { loadTiledMap, parseTiledMap } from "./tiled.ts";

/** Places of barriers as `x,y`, read off the bit field by the proto's own words. */
const barriersOf = (map: ZoneMap): string[] =>
  Array.from({ length: map.width * map.height }, (_, i) => i)
    .filter((i) => ((map.barriers[Math.floor(i / 8)] ?? 0) >> (i % 8)) & 1)
    .map((i) => `${i % map.width},${Math.floor(i / map.width)}`);

describe("tiles", () => {
  it("reads size, tilesets and layers", () => {
    const map = parse(tiledMap());
    expect(map).toMatchObject({ zone: "town", revision: 1, width: 4, height: 3, tileSize: TILE });
    expect(map.tilesets).toMatchObject([
      { name: "basic", firstTile: 1, tileCount: 8, columns: 4, image: "tiles/basic.png" },
    ]);
    expect(map.tilesets[0]?.solidTiles).toEqual([2]);
    expect(map.layers).toMatchObject([{ name: "ground", collision: false }]);
    expect(map.layers[0]?.tiles).toHaveLength(12);
  });

  it("gives the same tiles for every encoding, with the bits that turn them", () => {
    const tile = fc.oneof(
      fc.constant(0),
      fc
        .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 7 }))
        .map(([number, flags]) => (number | (flags << 29)) >>> 0),
    );
    const size = fc.record({
      width: fc.integer({ min: 1, max: 20 }),
      height: fc.integer({ min: 1, max: 20 }),
    });
    const layers = size.chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        tiles: fc.array(tile, { minLength: width * height, maxLength: width * height }),
      }),
    );
    fc.assert(
      fc.property(layers, ({ width, height, tiles }) => {
        const bytes = Buffer.alloc(tiles.length * 4);
        tiles.forEach((t, i) => bytes.writeUInt32LE(t, i * 4));
        const forms = [
          { data: tiles },
          { encoding: "csv", data: tiles },
          { encoding: "base64", data: bytes.toString("base64") },
          { encoding: "base64", compression: "", data: bytes.toString("base64") },
          { encoding: "base64", compression: "zlib", data: deflateSync(bytes).toString("base64") },
          { encoding: "base64", compression: "gzip", data: gzipSync(bytes).toString("base64") },
        ];
        for (const form of forms) {
          const layer = ground({ width, height, ...form });
          // The start may stand in a barrier here: only the tiles matter.
          const free = tileset({ tiles: [] });
          const text = tiledMap([], { width, height, tilesets: [free] }).replace(
            JSON.stringify(ground()),
            JSON.stringify(layer),
          );
          expect(parse(text).layers[0]?.tiles).toEqual(tiles);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("makes solid tiles barriers, whichever way they are turned", () => {
    const data = [1, 1, 3, 1, 1, 1, 1, (3 | 0x8000_0000) >>> 0, 1, 1, 1, 1];
    const map = parse(tiledMap([ground({ name: "walls", data })]));
    expect(barriersOf(map)).toEqual(["2,0", "3,1"]);
    expect(map.barriers).toEqual(new Uint8Array([0b1000_0100, 0]));
  });

  it("takes the class solid for the property", () => {
    const tilesets = [tileset({ tiles: [{ id: 5, type: "solid" }] })];
    const data = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 3];
    const map = parse(tiledMap([ground({ name: "walls", data })], { tilesets }));
    expect(barriersOf(map)).toEqual(["2,2"]);
  });

  it("makes every tile of a collision layer a barrier, seen or not", () => {
    const data = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    const properties = [{ name: "collision", type: "bool", value: true }];
    const layer = ground({ name: "collision", data, properties, visible: false });
    const map = parse(tiledMap([layer]));
    expect(barriersOf(map)).toEqual(["1,0", "3,2"]);
    expect(map.layers.map((l) => [l.name, l.collision])).toEqual([
      ["ground", false],
      ["collision", true],
    ]);
  });

  it("flattens groups and passes over pictures", () => {
    const inner = { name: "roofs", type: "group", layers: [ground({ name: "red" })] };
    const outer = {
      name: "houses",
      type: "group",
      layers: [inner, { name: "sky", type: "imagelayer", offsetx: 5 }],
    };
    const map = parse(tiledMap([outer, ground({ name: "red" })]));
    expect(map.layers.map((l) => l.name)).toEqual(["ground", "houses/roofs/red", "red"]);
  });

  it("reads external tilesets and finds their pictures from the game's folder", () => {
    const { firstgid: _, ...content } = tileset({ image: "pictures/basic.png" });
    const map = parseTiledMap({
      zone: "town",
      file: "town.tmj",
      text: tiledMap([], { tilesets: [{ firstgid: 1, source: "../tiles/basic.tsj" }] }),
      tilesets: (source) => {
        expect(source).toBe("../tiles/basic.tsj");
        return JSON.stringify(content);
      },
    });
    expect(map.tilesets[0]).toMatchObject({ image: "tiles/pictures/basic.png", firstTile: 1 });
  });
});

describe("objects", () => {
  it("puts the middle of points, rectangles and tile objects in tiles", () => {
    const map = parse(
      tiledMap([
        things(
          { id: 2, name: "a", type: "well", point: true, x: 48, y: 80 },
          { id: 3, name: "b", type: "well", x: 32, y: 64, width: 64, height: 32 },
          { id: 4, name: "c", type: "well", gid: 1, x: 32, y: 64, width: 32, height: 32 },
        ),
      ]),
    );
    expect(map.objects.map((o) => [o.name, o.position?.x, o.position?.y])).toEqual([
      ["a", 1.5, 2.5],
      ["b", 2, 2.5],
      ["c", 1.5, 1.5],
    ]);
  });

  it("follows the tileset's object alignment", () => {
    const object = { id: 2, name: "a", type: "well", gid: 1, x: 64, y: 64, width: 32, height: 32 };
    const map = parse(
      tiledMap([things(object)], { tilesets: [tileset({ objectalignment: "top" })] }),
    );
    expect(map.objects[0]?.position).toMatchObject({ x: 2, y: 2.5 });
  });

  it("gives tile objects the class and properties of their tile, where they have none of their own", () => {
    const tiles = [
      {
        id: 4,
        type: "signpost",
        properties: [
          { name: "text", type: "string", value: "of the tile" },
          { name: "lit", type: "bool", value: true },
          { name: "solid", type: "bool", value: true },
        ],
      },
    ];
    const own = [{ name: "text", type: "string", value: "of the object" }];
    const object = {
      id: 2,
      type: "",
      gid: 5,
      x: 32,
      y: 64,
      width: 32,
      height: 32,
      properties: own,
    };
    const map = parse(tiledMap([things(object)], { tilesets: [tileset({ tiles })] }));
    expect(map.objects[0]).toMatchObject({ name: "signpost-2", kind: "signpost" });
    const attributes = Object.entries(map.objects[0]?.attributes ?? {});
    expect(attributes.map(([name, value]) => [name, value.kind.value])).toEqual([
      ["text", "of the object"],
      ["lit", true],
    ]);
  });

  it("turns properties of every type into attributes", () => {
    const properties = [
      { name: "s", value: "text" },
      { name: "c", type: "color", value: "#ff00ff00" },
      { name: "f", type: "file", value: "a.ogg" },
      { name: "i", type: "int", value: -7 },
      { name: "d", type: "float", value: 2 },
      { name: "b", type: "bool", value: false },
    ];
    const map = parse(
      tiledMap([things({ id: 2, name: "a", type: "well", point: true, x: 9, y: 9, properties })]),
    );
    const kinds = Object.entries(map.objects[0]?.attributes ?? {}).map(([n, v]) => [n, v.kind]);
    expect(Object.fromEntries(kinds)).toEqual({
      s: { case: "stringValue", value: "text" },
      c: { case: "stringValue", value: "#ff00ff00" },
      f: { case: "stringValue", value: "a.ogg" },
      i: { case: "intValue", value: -7n },
      d: { case: "doubleValue", value: 2 },
      b: { case: "boolValue", value: false },
    });
  });

  it("reads spawns, with defaults for creatures", () => {
    const properties = [
      { name: "kind", type: "string", value: "hen" },
      { name: "count", type: "int", value: 5 },
      { name: "radius", type: "float", value: 2.5 },
      { name: "respawn_s", type: "float", value: 60 },
    ];
    const hens = { id: 2, name: "hens", class: "spawn", point: true, x: 64, y: 32 };
    const map = parse(
      tiledMap([
        things({ ...hens, properties }, { ...hens, id: 3, name: "", properties: [properties[0]] }),
      ]),
    );
    expect(map.spawns).toMatchObject([
      { name: "start", kind: "", position: { x: 0.5, y: 0.5 }, count: 0, radius: 0, respawnS: 0 },
      { name: "hens", kind: "hen", position: { x: 2, y: 1 }, count: 5, radius: 2.5, respawnS: 60 },
      { name: "spawn-3", kind: "hen", count: 1, radius: 0, respawnS: 30 },
    ]);
  });

  it("reads portals, to the nearest whole tiles", () => {
    const properties = [
      { name: "target_zone", value: "meadow" },
      { name: "target_spawn", value: "gate" },
    ];
    const portal = { id: 2, name: "out", type: "portal", x: 60, y: 1, width: 70, height: 60 };
    const map = parse(tiledMap([things({ ...portal, properties })]));
    expect(map.portals).toMatchObject([
      {
        name: "out",
        region: { x: 2, y: 0, width: 2, height: 2 },
        targetZone: "meadow",
        targetSpawn: "gate",
      },
    ]);
  });
});

describe("files", () => {
  async function folder(files: Record<string, string>): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "tiled-"));
    onTestFinished(() => rm(path, { recursive: true }));
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return path;
  }

  it("reads a map with its tileset", async () => {
    const text = tiledMap([], { tilesets: [{ firstgid: 1, source: "basic.tsj" }] });
    const path = await folder({ "town.tmj": text, "basic.tsj": JSON.stringify(tileset()) });
    const map = await loadTiledMap({ path: join(path, "town.tmj"), zone: "town" });
    expect(map).toMatchObject({ zone: "town", tilesets: [{ name: "basic" }] });
  });

  it("says which file is missing", async () => {
    const text = tiledMap([], { tilesets: [{ firstgid: 1, source: "basic.tsj" }] });
    const path = await folder({ "town.tmj": text });
    await expect(loadTiledMap({ path: join(path, "town.tmj"), zone: "town" })).rejects.toThrow(
      /^town\.tmj: tileset 1: "basic\.tsj": cannot be read: ENOENT/,
    );
    await expect(loadTiledMap({ path: join(path, "city.tmj"), zone: "city" })).rejects.toThrow(
      /^city\.tmj: cannot be read: ENOENT/,
    );
  });
});
