import { describe, expect, it } from "vitest";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { portal, problemsOf, things, tiledMap, to } from "./fixtures.ts";
import type { Json } from "./fixtures.ts";
import { checkPortals, parseTiledMap } from "./tiled.ts";

describe("checkPortals", () => {
  const zone = (name: string, ...objects: Json[]): ZoneMap =>
    parseTiledMap({ zone: name, file: `${name}.tmj`, text: tiledMap([things(...objects)]) });
  const leads = (target: string, spawn?: string): Json =>
    portal({
      properties: [
        to(target),
        ...(spawn === undefined ? [] : [{ name: "target_spawn", value: spawn }]),
      ],
    });
  const spawn = (more: Json): Json => ({
    id: 20,
    type: "spawn",
    point: true,
    name: "gate",
    ...more,
  });

  it("accepts portals that lead to spawns, to start if none is named", () => {
    const gate = spawn({ x: 32, y: 32 });
    const maps = [zone("town", leads("meadow", "gate")), zone("meadow", gate, leads("town"))];
    expect(problemsOf(() => checkPortals(maps))).toEqual([]);
  });

  it.each<[string, ZoneMap[], string]>([
    [
      "no such zone",
      [zone("town", leads("medow"))],
      'zone "town": portal "out" leads to zone "medow", which has no map',
    ],
    [
      "no such spawn",
      [zone("town", leads("meadow", "gate")), zone("meadow")],
      'zone "town": portal "out" leads to spawn "gate" of zone "meadow", which has no such spawn',
    ],
    [
      "a spawn of creatures",
      [
        zone("town", leads("meadow", "gate")),
        zone("meadow", spawn({ x: 9, y: 9, properties: [{ name: "kind", value: "hen" }] })),
      ],
      'zone "town": portal "out" leads to spawn "gate" of zone "meadow", where creatures appear (hen), not characters',
    ],
    [
      "a spawn in the way back",
      [
        zone("town", leads("meadow", "gate")),
        zone("meadow", spawn({ x: 96, y: 80 }), leads("town")),
      ],
      'zone "town": portal "out" leads to spawn "gate" of zone "meadow", which reaches into portal "out" there',
    ],
    [
      "a spawn whose radius reaches the way back",
      [
        zone("town", leads("meadow", "gate")),
        zone(
          "meadow",
          spawn({ x: 48, y: 80, properties: [{ name: "radius", type: "float", value: 1.5 }] }),
          leads("town"),
        ),
      ],
      'zone "town": portal "out" leads to spawn "gate" of zone "meadow", which reaches into portal "out" there',
    ],
    ["two maps of a zone", [zone("town"), zone("town")], 'zone "town": there are two maps of it'],
  ])("refuses %s", (_, maps, problem) => {
    expect(problemsOf(() => checkPortals(maps))).toEqual([problem]);
  });
});
