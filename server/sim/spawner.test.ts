import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { CreatureSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { ObjectRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { SpawnSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import {
  componentIn,
  createTestZone,
  drawMap,
  edit,
  input,
  join,
  placeIn,
  steps,
} from "../../test/support/sim.ts";
import { namesIn } from "../../test/support/view-client.ts";
import type { Kind } from "./kind.ts";
import { standsFree } from "./movement.ts";
import type { Zone } from "./zone.ts";

const hen: Kind = {
  is: "creature",
  body: { physical: true },
  components: [create(CreatureSchema, { health: 5, maxHealth: 5 })],
};
const FIELD = Array.from({ length: 12 }, () => ".".repeat(12));

function zoneWith(
  count: number,
  more: { respawnS?: number; rows?: string[]; tickRateHz?: number } = {},
): Zone {
  const { respawnS = 2, rows = FIELD } = more;
  const spawns = [
    { name: "yard", kind: "hen", position: { x: 6, y: 6 }, radius: 3, count, respawnS },
  ];
  return createTestZone(drawMap(rows, { spawns }), { kinds: { hen } }).zone;
}

function hens(zone: Zone): string[] {
  return namesIn(zone)
    .filter((name) => name.includes("-"))
    .sort();
}

function leave(zone: Zone, name: string): void {
  zone.apply(input({ case: "leave", value: { name } }));
}

describe("the spawner", () => {
  it("[SM-24] fills a new zone at once, each on a free place of its own", () => {
    const zone = zoneWith(9, { rows: FIELD.map((row, y) => (y % 2 ? row : ".#".repeat(6))) });
    expect(hens(zone)).toHaveLength(9);
    const places = hens(zone).map((name) => placeIn(zone, name));
    for (const [i, { x, y }] of places.entries()) {
      expect(standsFree(zone.map, x, y, 0.35)).toBe(true);
      for (const other of places.slice(0, i)) {
        expect(Math.sqrt((other.x - x) ** 2 + (other.y - y) ** 2)).toBeGreaterThanOrEqual(0.7);
      }
    }
  });

  it("[AL-11] lets one that is gone appear again after its time, on the zone's clock", () => {
    const zone = zoneWith(2);
    leave(zone, "yard-1");
    steps(zone, 20);
    expect(hens(zone)).toEqual(["yard-2"]);
    zone.step();
    expect(hens(zone)).toEqual(["yard-1", "yard-2"]);
    expect(componentIn(zone, "yard-1", CreatureSchema)?.health).toBe(5);
    expect(zone.checkpoint().pendingSpawns).toEqual([]);
  });

  it("waits for a name that a character has taken", () => {
    const zone = zoneWith(1, { respawnS: 0 });
    join(zone, "yard-1", { x: 2, y: 2 });
    steps(zone, 100);
    expect(zone.characterCount()).toBe(1);
    leave(zone, "yard-1");
    steps(zone, 51);
    expect(zone.characterCount()).toBe(0);
    expect(hens(zone)).toEqual(["yard-1"]);
  });

  it("tries again when there was no room, without running over the tick", () => {
    const zone = zoneWith(1, { rows: ["###", "###", "###"] });
    expect(hens(zone)).toEqual([]);
    steps(zone, 120);
    expect(hens(zone)).toEqual([]);
    expect(zone.checkpoint().pendingSpawns).toHaveLength(1);
  });

  it("[PY-10] puts creatures of another kind in the place of those that a changed spawn had", () => {
    const spawn = { name: "yard", position: { x: 6, y: 6 }, radius: 3, count: 2 };
    const map = drawMap(FIELD, { spawns: [{ ...spawn, kind: "hen" }] });
    const cat: Kind = { is: "creature", body: { visual: "cat" } };
    const { zone } = createTestZone(map, { kinds: { hen, cat } });
    edit(zone, { case: "putSpawn", value: create(SpawnSchema, { ...spawn, kind: "cat" }) });
    zone.step();
    expect(hens(zone)).toEqual(["yard-1", "yard-2"]);
    for (const name of hens(zone)) {
      expect(componentIn(zone, name, BodySchema)).toMatchObject({ script: "cat", visual: "cat" });
    }
  });

  it("[PY-10] follows edits: more, fewer, none", () => {
    const zone = zoneWith(2);
    const put = (count: number) => {
      const value = create(SpawnSchema, {
        name: "yard",
        kind: "hen",
        position: { x: 6, y: 6 },
        radius: 3,
        count,
      });
      edit(zone, { case: "putSpawn", value });
      zone.step();
      return hens(zone);
    };
    expect(put(3)).toEqual(["yard-1", "yard-2", "yard-3"]);
    expect(put(1)).toEqual(["yard-1"]);
    edit(zone, { case: "removeSpawn", value: "yard" });
    expect(hens(zone)).toEqual([]);
    steps(zone, 60);
    expect(hens(zone)).toEqual([]);
  });

  it("takes over what is stored of a creature", () => {
    const spawns = [{ name: "yard", kind: "hen", position: { x: 6, y: 6 }, count: 1 }];
    const components = [
      anyPack(CreatureSchema, create(CreatureSchema, { health: 2, mood: "sad" })),
    ];
    const objects = [create(ObjectRecordSchema, { zone: "test", name: "yard-1", components })];
    const { zone } = createTestZone(drawMap(FIELD, { spawns }), { kinds: { hen }, objects });
    expect(componentIn(zone, "yard-1", CreatureSchema)).toMatchObject({ health: 2, mood: "sad" });
  });
});
