import { expect, test } from "vitest";
import {
  createTestZone,
  drawMap,
  join,
  move,
  placeIn,
  steps,
  vector,
} from "../../test/support/sim.ts";
import { findDetour } from "./detour.ts";
import { distance } from "./movement.ts";
import type { Place } from "./movement.ts";
import { createRandom, randomStateOf } from "./random.ts";

const REACH_TILES = 0.7;

test("finds the gap between two who stand close together", () => {
  const others = [
    { x: 2, y: -0.71 },
    { x: 2, y: 0.71 },
    { x: 2, y: 2.1 },
    { x: 2, y: -2.1 },
  ];
  const isFree = (x: number, y: number) =>
    others.every((other) => distance(other, { x, y }) >= REACH_TILES);
  const places = findDetour({ x: 0, y: 0.4 }, { x: 3.5, y: 0 }, isFree);
  expect(places?.at(-1)).toEqual({ x: 3.5, y: 0 });
  expect(places?.every(({ x, y }) => isFree(x, y))).toBe(true);
});

test("leads out of the neighbourhood when the target is further", () => {
  const places = findDetour(
    { x: 0, y: 0 },
    { x: 50, y: 0 },
    (x, y) => distance({ x, y }, { x: 1, y: 0 }) >= REACH_TILES,
  );
  const end = places?.at(-1) as Place;
  expect(end.x).toBeCloseTo(4, 9);
});

test("is not there for who is enclosed", () => {
  const isFree = (x: number, y: number) => distance({ x, y }, { x: 0, y: 0 }) < 1;
  expect(findDetour({ x: 0, y: 0 }, { x: 50, y: 0 }, isFree)).toBeUndefined();
  expect(findDetour({ x: 0, y: 0 }, { x: 2, y: 0 }, isFree)).toBeUndefined();
});

test("[JW-2] leads nearly everybody out of a crowd that stands still", () => {
  const crowds = 100;
  let arrived = 0;
  for (let seed = 0; seed < crowds; seed++) {
    const random = createRandom(randomStateOf(`crowd ${seed}`));
    const { zone } = createTestZone(drawMap(Array.from({ length: 24 }, () => ".".repeat(24))));
    const places = [{ x: 10, y: 12 }];
    while (places.length < 9) {
      const place = { x: 9 + random.next() * 4, y: 10 + random.next() * 4 };
      if (places.every((other) => distance(other, place) > REACH_TILES)) places.push(place);
    }
    for (const [i, place] of places.entries()) join(zone, `p${i}`, place);
    move(zone, "p0", { case: "destination", value: vector(18, 12) });
    steps(zone, 100);
    if (distance(placeIn(zone, "p0"), { x: 18, y: 12 }) < 1e-6) arrived++;
  }
  expect(arrived).toBeGreaterThanOrEqual(crowds - 2);
});
