import { clone, create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EditCommandSchema, ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { EditCommand, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { drawMap, testTypes } from "../../test/support/sim.ts";
import { MAX_EDITED_TILES, checkEdit, editMap } from "./map-edit.ts";
import type { EditRules } from "./map-edit.ts";
import { createWorldMap } from "./world-map.ts";

type CommandInit = NonNullable<Parameters<typeof create<typeof EditCommandSchema>>[1]>;

const rules: EditRules = {
  hasKind: (kind) => ["hen", "post"].includes(kind),
  hasZone: (zone) => zone === "other",
  attribute: (name) => testTypes.attribute(name),
};

const tilesets = [{ name: "test", firstTile: 1, tileCount: 4, columns: 4, solidTiles: [1] }];

function smallMap(): ZoneMap {
  const map = drawMap(["@...", ".##.", "...."], {
    tilesets,
    objects: ["b", "a", "d"].map((name) => ({ name, kind: "post", position: { x: 1, y: 2 } })),
    spawns: [{ name: "yard", kind: "hen", position: { x: 2.5, y: 2.5 }, count: 2 }],
    portals: [{ name: "gate", region: { x: 3, y: 0, width: 1, height: 2 }, targetZone: "other" }],
  });
  map.layers.push(
    ...clone(ZoneMapSchema, map).layers.map((layer) => ({
      ...layer,
      name: "walls",
      collision: true,
      tiles: layer.tiles.map(() => 0),
    })),
  );
  return map;
}

function commandsOf(inits: readonly CommandInit["kind"][]): EditCommand[] {
  return inits.map((kind) => create(EditCommandSchema, { kind } as CommandInit));
}

function edited(...inits: CommandInit["kind"][]) {
  const map = createWorldMap(smallMap());
  const before = map.toMessage();
  const outcome = editMap(map, commandsOf(inits), rules);
  return { map, before, outcome, problems: "problems" in outcome ? outcome.problems : [] };
}

const region = (x: number, y: number, width = 1, height = 1) => ({ x, y, width, height });

describe("[PY-10] a command", () => {
  it("set_tiles puts tiles, and barriers follow their solidity", () => {
    const { map, outcome } = edited(
      {
        case: "setTiles",
        value: { layer: "ground", region: region(0, 0, 2, 2), tiles: [1, 2, 2, 1] },
      },
      { case: "setTiles", value: { layer: "walls", region: region(3, 2), tiles: [3] } },
    );
    expect([map.blocked(0, 0), map.blocked(1, 0), map.blocked(0, 1), map.blocked(1, 1)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(map.blocked(3, 2)).toBe(true);
    expect(outcome).toMatchObject({ result: { region: region(0, 0, 4, 3) } });
  });

  it("set_tiles takes one tile for all, and tiles that are turned", () => {
    const { map } = edited({
      case: "setTiles",
      value: { layer: "ground", region: region(0, 0, 4, 3), tiles: [0x80000002] },
    });
    expect(map.layers.get("ground")?.tiles).toEqual(Array.from({ length: 12 }, () => 0x80000002));
    expect(map.blocked(3, 2)).toBe(true);
  });

  it("set_barriers overrules the tiles", () => {
    const { map } = edited({
      case: "setBarriers",
      value: { region: region(1, 1, 3, 1), blocked: false },
    });
    expect([1, 2, 3].map((x) => map.blocked(x, 1))).toEqual([false, false, false]);
  });

  it("put and remove work on objects, spawns and portals", () => {
    const { map } = edited(
      {
        case: "putObject",
        value: {
          name: "c",
          kind: "post",
          position: { x: 1, y: 1 },
          attributes: { "purse.gold": { kind: { case: "intValue", value: 3n } } },
        },
      },
      { case: "removeObject", value: "a" },
      {
        case: "putSpawn",
        value: { name: "pond", kind: "hen", position: { x: 1, y: 1 }, count: 1 },
      },
      { case: "removeSpawn", value: "yard" },
      { case: "putPortal", value: { name: "hole", region: region(0, 0), targetZone: "other" } },
      { case: "removePortal", value: "gate" },
    );
    expect([[...map.objects.keys()], [...map.spawns.keys()], [...map.portals.keys()]]).toEqual([
      ["b", "c", "d"],
      ["pond", "start"],
      ["hole"],
    ]);
  });

  const wrong: [string, CommandInit["kind"], string[]][] = [
    [
      "an unknown layer",
      { case: "setTiles", value: { layer: "sky", region: region(0, 0), tiles: [1] } },
      ["set_tiles.layer"],
    ],
    [
      "tiles outside the map",
      { case: "setTiles", value: { layer: "ground", region: region(3, 0, 2), tiles: [1] } },
      ["set_tiles.region"],
    ],
    [
      "a region without tiles",
      { case: "setTiles", value: { layer: "ground", region: region(0, 0, 0), tiles: [1] } },
      ["set_tiles.region"],
    ],
    [
      "too few tiles",
      { case: "setTiles", value: { layer: "ground", region: region(0, 0, 3), tiles: [1, 1] } },
      ["set_tiles.tiles"],
    ],
    [
      "a tile of no tileset",
      { case: "setTiles", value: { layer: "ground", region: region(0, 0), tiles: [5] } },
      ["set_tiles.tiles"],
    ],
    [
      "barriers outside the map",
      { case: "setBarriers", value: { region: region(0, -1), blocked: true } },
      ["set_barriers.region"],
    ],
    [
      "barriers nowhere",
      { case: "setBarriers", value: { blocked: true } },
      ["set_barriers.region"],
    ],
    [
      "an object of no kind, outside",
      { case: "putObject", value: { name: "c", kind: "ufo", position: { x: 4, y: 0 } } },
      ["put_object.position", "put_object.kind"],
    ],
    [
      "an object at no number",
      { case: "putObject", value: { name: "c", kind: "post", position: { x: Number.NaN, y: 0 } } },
      ["put_object.position"],
    ],
    [
      "an unknown attribute",
      {
        case: "putObject",
        value: { name: "c", kind: "post", position: { x: 1, y: 1 }, attributes: { wings: {} } },
      },
      ["put_object.attributes"],
    ],
    [
      "an attribute of another type",
      {
        case: "putObject",
        value: {
          name: "c",
          kind: "post",
          position: { x: 1, y: 1 },
          attributes: { gold: { kind: { case: "stringValue", value: "much" } } },
        },
      },
      ["put_object.attributes"],
    ],
    [
      "a spawn of no kind",
      { case: "putSpawn", value: { name: "x", kind: "ufo", position: { x: 1, y: 1 } } },
      ["put_spawn.kind"],
    ],
    [
      "creatures at the start",
      { case: "putSpawn", value: { name: "start", kind: "hen", position: { x: 1, y: 1 } } },
      ["put_spawn.kind"],
    ],
    [
      "a portal to nowhere",
      { case: "putPortal", value: { name: "x", region: region(0, 0), targetZone: "hell" } },
      ["put_portal.target_zone"],
    ],
    [
      "a portal outside",
      { case: "putPortal", value: { name: "x", region: region(9, 0), targetZone: "other" } },
      ["put_portal.region"],
    ],
    ["an object that is not there", { case: "removeObject", value: "z" }, ["remove_object"]],
    ["a spawn that is not there", { case: "removeSpawn", value: "z" }, ["remove_spawn"]],
    ["the start", { case: "removeSpawn", value: "start" }, ["remove_spawn"]],
    ["a portal that is not there", { case: "removePortal", value: "z" }, ["remove_portal"]],
    ["nothing", { case: undefined }, ["kind"]],
  ];
  it.each(wrong)(
    "with %s is refused by the name of its field, and nothing of the batch is done",
    (_, kind, fields) => {
      const { map, before, problems } = edited(
        { case: "removeObject", value: "a" },
        { case: "setBarriers", value: { region: region(0, 0, 4, 3), blocked: true } },
        kind,
        { case: "removeObject", value: "b" },
      );
      expect(problems.map(({ field }) => field)).toEqual(
        fields.map((field) => `commands[2].${field}`),
      );
      expect(map.toMessage()).toEqual(before);
    },
  );
});

it("bounds the tiles of a batch, and undoes a chequered one of that size", () => {
  const width = 512;
  const rows = Array.from({ length: width }, () => ".".repeat(width));
  const map = createWorldMap(drawMap(rows));
  for (let i = 0; i < width * width; i++)
    if ((i + (i >> 9)) % 2) map.setBlocked(i % width, i >> 9, true);
  const before = map.toMessage();
  const all = {
    case: "setBarriers",
    value: { region: region(0, 0, width, width), blocked: true },
  } as const;
  const once = editMap(map, commandsOf([all]), rules);
  if ("problems" in once) throw new Error("refused");
  expect(width * width).toBe(MAX_EDITED_TILES);
  expect(
    editMap(
      map,
      commandsOf([all, { case: "setBarriers", value: { region: region(0, 0), blocked: true } }]),
      rules,
    ),
  ).toMatchObject({
    problems: [{ field: "commands" }],
  });
  // The bound is on what people send; what takes it back may be longer in commands.
  editMap(map, once.result.inverse, rules);
  expect(map.toMessage()).toEqual(before);
});

const tile = fc.constantFrom(0, 1, 2, 3, 0x40000002);
const area = fc.record({
  x: fc.integer({ min: -1, max: 4 }),
  y: fc.integer({ min: 0, max: 3 }),
  width: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 1, max: 3 }),
});
const name = fc.constantFrom("a", "b", "c", "start", "yard", "gate");
const place = fc.record({ x: fc.integer({ min: 0, max: 4 }), y: fc.integer({ min: 0, max: 2 }) });
const commands: fc.Arbitrary<CommandInit["kind"]> = fc.oneof(
  fc
    .tuple(area, fc.constantFrom("ground", "walls"), fc.array(tile, { minLength: 9, maxLength: 9 }))
    .map(([region, layer, tiles]) => ({
      case: "setTiles" as const,
      value: { region, layer, tiles: tiles.slice(0, region.width * region.height) },
    })),
  fc
    .tuple(area, fc.boolean())
    .map(([region, blocked]) => ({ case: "setBarriers" as const, value: { region, blocked } })),
  fc.tuple(name, place).map(([name, position]) => ({
    case: "putObject" as const,
    value: { name, position, kind: "post" },
  })),
  fc
    .tuple(name, place)
    .map(([name, position]) => ({ case: "putSpawn" as const, value: { name, position } })),
  fc.tuple(name, area).map(([name, region]) => ({
    case: "putPortal" as const,
    value: { name, region, targetZone: "other" },
  })),
  fc
    .tuple(
      fc.constantFrom("removeObject" as const, "removeSpawn" as const, "removePortal" as const),
      name,
    )
    .map(([which, value]) => ({ case: which, value })),
);

it("[PY-10] an edit is done in full and its inverse gives the same map again, or nothing is done at all", () => {
  let done = 0;
  fc.assert(
    fc.property(
      fc.array(commands, { maxLength: 8 }),
      fc.array(fc.nat(11), { maxLength: 3 }),
      (inits, flips) => {
        const map = createWorldMap(smallMap());
        // Barriers that the tiles do not explain.
        for (const flip of flips)
          map.setBlocked(flip % 4, flip >> 2, !map.blocked(flip % 4, flip >> 2));
        const before = map.toMessage();
        const outcome = editMap(map, commandsOf(inits), rules);
        const fresh = createWorldMap(before);
        expect(checkEdit(fresh, commandsOf(inits), rules)).toEqual(outcome);
        expect(fresh.toMessage()).toEqual(before);
        if ("result" in outcome) {
          done++;
          expect("result" in editMap(map, outcome.result.inverse, rules)).toBe(true);
        }
        expect(map.toMessage()).toEqual(before);
      },
    ),
    { numRuns: 400 },
  );
  expect(done).toBeGreaterThan(50);
});
