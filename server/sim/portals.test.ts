import { expect, it } from "vitest";
import {
  createTestZone,
  drawMap,
  input,
  join,
  move,
  steps,
  vector,
} from "../../test/support/sim.ts";
import type { Zone } from "./zone.ts";

const portals = [
  {
    name: "b",
    region: { x: 6, y: 0, width: 2, height: 3 },
    targetZone: "other",
    targetSpawn: "gate",
  },
  { name: "a", region: { x: 7, y: 0, width: 2, height: 3 }, targetZone: "test" },
];

function zoneWithPortals(): Zone {
  return createTestZone(drawMap(["...........", "@..........", "..........."], { portals })).zone;
}

function east(zone: Zone, speed = 1): void {
  move(zone, "ada", { case: "direction", value: vector(speed, 0) });
}

it("[SM-7] [AL-14] who steps into a portal leaves once, with everything, for the spawn of its target", () => {
  const zone = zoneWithPortals();
  join(zone, "ada", { x: 4.5, y: 1.5 });
  east(zone);
  const frames = steps(zone, 20);
  const [transfer, ...others] = frames.flatMap(({ transfers }) => transfers);
  expect(others).toEqual([]);
  expect(transfer).toMatchObject({ zone: "other", spawn: "gate", character: { name: "ada" } });
  expect(transfer?.character.components).toHaveLength(4);
  expect(zone.brief("ada")).toBeUndefined();
});

it("[AL-14] who appears inside one is not sent back, but is after leaving and coming again", () => {
  const zone = zoneWithPortals();
  join(zone, "ada", { x: 6.5, y: 1.5 });
  expect(steps(zone, 5).flatMap(({ transfers }) => transfers)).toEqual([]);
  east(zone, -1);
  expect(steps(zone, 5).flatMap(({ transfers }) => transfers)).toEqual([]);
  east(zone);
  expect(steps(zone, 5).flatMap(({ transfers }) => transfers)).toHaveLength(1);
});

it("of portals that overlap the first by name counts, and stepping from one into another is an entry", () => {
  const zone = zoneWithPortals();
  join(zone, "ada", { x: 6.5, y: 1.5 });
  east(zone);
  const [transfer] = steps(zone, 5).flatMap(({ transfers }) => transfers);
  expect(transfer).toMatchObject({ zone: "test", spawn: "start" });
});

it("goes on from a state: who stood in a portal still does", () => {
  const zone = zoneWithPortals();
  join(zone, "ada", { x: 6.5, y: 1.5 });
  zone.step();
  zone.apply(input({ case: "checkpoint", value: {} }));
  expect(steps(zone, 3).flatMap(({ transfers }) => transfers)).toEqual([]);
});
