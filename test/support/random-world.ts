import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { CreatureSchema, PurseSchema, SignSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { MapObjectSchema, SpawnSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Kind } from "../../server/sim/kind.ts";
import type { Zone } from "../../server/sim/zone.ts";
import { barriers, drawMap, edit, input, join, move, set, vector } from "./sim.ts";

/** Edge of the random worlds, in tiles: three by three regions of a mirror. */
export const WORLD_TILES = 80;
/** Names of the characters that come and go in random worlds. */
export const NAMES = ["p0", "p1", "p2", "p3"] as const;

/** Kinds of a random world: one that lives, talks and remembers, and one with hidden fields that can be owned. */
export const randomKinds: Record<string, Kind> = {
  hen: {
    is: "creature",
    body: { visual: "hen", speed: 3, radius: 0.3, physical: true },
    components: [create(CreatureSchema, { health: 3, maxHealth: 3 })],
    *run(self) {
      for (;;) {
        yield self.wait(0.3 + self.random());
        self.stroll(6);
        const health = self.get(CreatureSchema)?.health ?? 0;
        if (self.random() < 0.5) self.set(CreatureSchema, { health: (health + 1) % 5 });
        if (self.random() < 0.3) self.sayOneOf(["cluck", "бок", "コケ"]);
      }
    },
    onHear(self, speaker) {
      if (self.random() < 0.5) self.set(CreatureSchema, { mood: `heard ${speaker}` });
    },
  },
  chest: {
    is: "object",
    body: { visual: "chest", physical: true },
    components: [
      create(PurseSchema, { gold: 7n, luck: 0.5 }),
      create(SignSchema, { text: "a chest" }),
    ],
  },
};

/** Something that happens in a random world. */
export type Happening =
  | { readonly do: "step"; readonly ticks: number }
  | { readonly do: "join"; readonly who: number }
  | { readonly do: "leave" | "connect" | "disconnect"; readonly who: number }
  | {
      readonly do: "offset" | "direction" | "destination";
      readonly who: number;
      readonly x: number;
      readonly y: number;
    }
  | {
      readonly do: "gold" | "own" | "resize" | "speed";
      readonly who: number;
      readonly amount: number;
    }
  | { readonly do: "say" | "shout"; readonly who: number }
  | MapHappening;

type MapHappening =
  | { readonly do: "wall" | "clear" | "chest" | "hens"; readonly x: number; readonly y: number }
  | { readonly do: "unchest" | "unhens" };

type PersonalHappening = Exclude<Happening, MapHappening | { readonly do: "step" }>;

const who = fc.nat(NAMES.length - 1);
const part = fc.double({ min: -1.2, max: 1.2, noNaN: true });
const tile = fc.nat(WORLD_TILES - 6);
const one = <const T extends string>(...names: readonly T[]) => fc.constantFrom(...names);

/** What happens, mostly steps and moves. */
export const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("step" as const),
      ticks: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: one("join", "join", "leave", "connect", "disconnect"), who }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: one("offset", "direction", "destination"), who, x: part, y: part }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: one("gold", "own", "resize", "speed"), who, amount: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: one("say", "shout"), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: one("wall", "clear", "chest", "hens"), x: tile, y: tile }),
  },
  { weight: 1, arbitrary: fc.record({ do: one("unchest", "unhens") }) },
);

/** The map of random worlds: some walls, a chest, and hens in the middle, where the regions of a mirror meet. */
export function randomWorldMap(): ZoneMap {
  const rows = Array.from({ length: WORLD_TILES }, (_, y) =>
    Array.from({ length: WORLD_TILES }, (_, x) => ((x * 7 + y * 13) % 29 === 0 ? "#" : ".")).join(
      "",
    ),
  );
  return drawMap(rows, {
    spawns: [
      { name: "yard", kind: "hen", position: { x: 32, y: 32 }, radius: 8, count: 8, respawnS: 1 },
      { name: "east", kind: "hen", position: { x: 60, y: 34 }, radius: 4, count: 3, respawnS: 1 },
    ],
    objects: [{ name: "box", kind: "chest", position: { x: 33.5, y: 30.5 } }],
  });
}

/** Lets something happen; steps are left to `step`. */
export function happen(zone: Zone, event: Happening, step: () => void): void {
  switch (event.do) {
    case "step":
      for (let i = 0; i < event.ticks; i++) step();
      return;
    case "wall":
    case "clear":
      edit(zone, barriers(event.x, event.y, 3, 2, event.do === "wall"));
      return;
    case "chest":
      edit(zone, {
        case: "putObject",
        value: create(MapObjectSchema, {
          name: "box",
          kind: "chest",
          position: vector(event.x + 0.5, event.y + 0.5),
        }),
      });
      return;
    case "hens":
      edit(zone, {
        case: "putSpawn",
        value: create(SpawnSchema, {
          name: "more",
          kind: "hen",
          position: vector(event.x, event.y),
          radius: 3,
          count: 2,
        }),
      });
      return;
    case "unchest":
      edit(zone, { case: "removeObject", value: "box" });
      return;
    case "unhens":
      edit(zone, { case: "removeSpawn", value: "more" });
      return;
    default:
      happenTo(zone, NAMES[event.who] as string, event);
  }
}

function happenTo(zone: Zone, name: string, event: PersonalHappening): void {
  switch (event.do) {
    case "join": {
      const i = event.who;
      join(zone, name, { x: 30.5 + i * 1.3, y: 33.5 - i }, { speed: 3 + i * 4 });
      return;
    }
    case "leave":
      zone.apply(input({ case: "leave", value: { name } }));
      return;
    case "connect":
    case "disconnect":
      zone.apply(input({ case: "presence", value: { name, online: event.do === "connect" } }));
      return;
    case "offset":
    case "direction":
      if (zone.stateOf(name)) move(zone, name, { case: event.do, value: vector(event.x, event.y) });
      return;
    case "destination": {
      const at = zone.stateOf(name)?.entity.position;
      const value = vector((at?.x ?? 0) + event.x * 15, (at?.y ?? 0) + event.y * 15);
      if (at) move(zone, name, { case: "destination", value });
      return;
    }
    case "gold":
      set(zone, name, "purse.gold", { case: "intValue", value: BigInt(event.amount) }, true);
      set(zone, "box", "purse.luck", { case: "doubleValue", value: event.amount });
      return;
    case "own":
      // The chest, or a hen, becomes somebody's, or nobody's.
      set(zone, event.amount % 2 ? "box" : "yard-1", "body.owner", {
        case: "stringValue",
        value: event.amount < 3 ? "" : name,
      });
      return;
    case "resize":
      set(zone, name, "body.radius", { case: "doubleValue", value: 0.1 + event.amount / 20 });
      return;
    case "speed":
      set(zone, name, "body.speed", { case: "doubleValue", value: event.amount * 3 });
      return;
    case "say":
    case "shout":
      zone.apply(
        input({ case: "say", value: { name, text: "hello", shout: event.do === "shout" } }),
      );
      return;
  }
}
