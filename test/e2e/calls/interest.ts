import { expect, test } from "vitest";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Place, TestPlayer } from "../../support/player.ts";
import { distance, isSamePlace, mapOf, openPlaces, walkTo } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

/** Near the place in the town that is farthest from the rest. */
const WEST_END = { x: 4, y: 25 };
/** Kinds of the town's objects that stay where they are. */
const STANDING = new Set(["lantern", "signpost", "well"]);
/** The gate is no farther from the northern edge of the town. */
const GATE_TILES = 6;
/** Places this close to the edge of a view may be on either side of it. */
const EDGE_TILES = 0.1;

/** Two places a few steps apart, the one just outside a view from somewhere and the other just inside, with nothing in the way. */
function edgeOfView(town: ZoneMap, from: Place, radius: number): { outside: Place; inside: Place } {
  const others = [...town.objects, ...town.spawns].map(({ position }) => position);
  const isFree = (place: Place) =>
    place.y > GATE_TILES && others.every((other) => other && distance(other, place) > 3);
  const places = openPlaces(town, from, { atLeast: radius - 2, atMost: radius + 2 }).filter(isFree);
  const outside = places.find((place) => distance(place, from) > radius + EDGE_TILES);
  const inside = places
    .filter((place) => distance(place, from) < radius - EDGE_TILES)
    .toSorted((a, b) => distance(a, outside ?? a) - distance(b, outside ?? b))[0];
  if (!outside || !inside) throw new Error("nowhere to stand at the edge of the view");
  return { outside, inside };
}

/** The ids of all that a message tells something of. */
function idsIn({ entities, moved, turned, changed }: UpdateResponse): number[] {
  const ids = [...entities, ...changed].map(({ id }) => id);
  return [...ids, ...(moved?.ids ?? []), ...(turned?.ids ?? [])];
}

/** Lets players walk long ways in little time: a builder may change how fast somebody is. */
async function hurry(builder: TestPlayer, ...players: readonly TestPlayer[]): Promise<void> {
  const value = { kind: { case: "doubleValue" as const, value: 20 } };
  const change = { case: "value" as const, value };
  for (const { name } of players) await builder.world.set({ name, attribute: "speed", change });
}

/** Interest: a stream tells of what is near, and not of the rest. */
export function describeInterest(server: () => CallsServer): void {
  test("[AL-6] who goes beyond the view radius is out of view, untold of, and comes back in full", async () => {
    const [ann, bob] = [await server().player("Int"), await server().player("Int")];
    const [sees, bobSees] = [ann.watch(), bob.watch()];
    await sees.until("the other", () => sees.view.named(bob.name));
    await bobSees.until("the other", () => bobSees.view.named(ann.name));
    await hurry(await server().as(Role.BUILDER), ann, bob);
    const town = await mapOf(ann);
    const radius = sees.view.scene?.viewRadius ?? 0;

    // At the edge of the town a part of what stands still is too far away to be seen.
    const [home] = openPlaces(town, WEST_END, { atLeast: 0, atMost: 5 });
    if (!home) throw new Error("nowhere to stand in the west");
    await walkTo(ann, sees, home);
    const standing = town.objects.filter(({ kind }) => STANDING.has(kind));
    const near = standing.filter(({ position }) => position && distance(position, home) <= radius);
    expect(near.length).toBeGreaterThan(0);
    expect(near.length).toBeLessThan(standing.length);
    const inView = standing.filter(({ name }) => sees.view.named(name));
    expect(inView.map(({ name }) => name)).toEqual(near.map(({ name }) => name));

    const { outside, inside } = edgeOfView(town, home, radius);
    await walkTo(bob, bobSees, outside);
    await sees.until("leaving", () => sees.view.named(bob.name) === undefined);
    await bobSees.until("leaving", () => bobSees.view.named(ann.name) === undefined);
    const id = bobSees.view.self?.id;
    const since = sees.messages.length;
    const leftBefore = sees.left.length;
    const mood = { kind: { case: "stringValue" as const, value: "far away" } };
    await bob.world.set({ attribute: "mood", change: { case: "value", value: mood } });
    const away = { x: (outside.x - home.x) / radius / 10, y: (outside.y - home.y) / radius / 10 };
    expect((await bob.move("direction", away)).moved).toBe(true);
    await sees.ticks(5);
    expect(sees.messages.slice(since).flatMap(idsIn)).not.toContain(id);

    await walkTo(bob, bobSees, inside);
    const back = await sees.until("coming back", () => sees.view.named(bob.name));
    await bobSees.until("coming back", () => bobSees.view.named(ann.name));
    expect(back.get(CreatureSchema)?.mood).toBe("far away");
    await sees.until("standing there", () => isSamePlace(back.position, inside));
    const told = sees.messages.slice(since).flatMap(({ entities }) => entities);
    expect(told.filter((entity) => entity.id === id)).toHaveLength(1);
    expect(sees.left.slice(leftBefore)).not.toContain(bob.name);
    expect(sees.view.problems + bobSees.view.problems).toBe(0);
  });
}
