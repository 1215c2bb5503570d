import { describe, expect, it } from "vitest";
import { createTestZone, drawMap, join, move, placeIn, vector } from "../../test/support/sim.ts";
import { passesFree } from "./movement.ts";
import { MAX_SEARCHED_TILES, findPath } from "./pathfinding.ts";
import { createRandom, randomStateOf } from "./random.ts";
import { createWorldMap } from "./world-map.ts";

function ground(...rows: string[]) {
  return createWorldMap(drawMap(rows));
}

describe("a path", () => {
  it("is straight where nothing is in the way", () => {
    const to = { x: 3.25, y: 2.5 };
    expect(findPath(ground("....", "....", "...."), { x: 0.5, y: 0.5 }, to, 0.35)).toEqual([to]);
  });

  it("goes around a wall, free all along, and cuts no corner", () => {
    const map = ground("......", ".####.", "....#.", "......");
    const from = { x: 3.5, y: 2.5 };
    const path = findPath(map, from, { x: 0.6, y: 0.6 }, 0.35) ?? [];
    let at = from;
    for (const place of path) {
      expect(passesFree(map, at, place, 0.35)).toBe(true);
      at = place;
    }
    expect(at).toEqual({ x: 0.6, y: 0.6 });
  });

  it("does not squeeze between barriers that touch at their corners", () => {
    expect(
      findPath(ground(".#.", "#..", "..."), { x: 0.5, y: 0.5 }, { x: 2.5, y: 2.5 }, 0.1),
    ).toBeUndefined();
  });

  it("is not found to a place where the circle does not fit", () => {
    expect(findPath(ground("..#"), { x: 0.5, y: 0.5 }, { x: 1.8, y: 0.5 }, 0.35)).toBeUndefined();
  });

  it("is given up after a bounded search", () => {
    const size = Math.ceil(Math.sqrt(MAX_SEARCHED_TILES)) + 20;
    const open = ".".repeat(size);
    const rows = Array.from({ length: size }, () => open);
    rows[size - 2] = `${".".repeat(size - 2)}##`;
    rows[size - 1] = `${".".repeat(size - 2)}#.`;
    expect(
      findPath(ground(...rows), { x: 0.5, y: 0.5 }, { x: size - 0.5, y: size - 0.5 }, 0.3),
    ).toBeUndefined();
  });
});

it.each([0.2, 0.35, 0.5])(
  "[JW-2] every way that is found is walked to its end, with a radius of %s",
  (radius) => {
    const random = createRandom(randomStateOf(`maze ${radius}`));
    let walked = 0;
    for (let i = 0; i < 300; i++) {
      const rows = Array.from({ length: 10 }, () =>
        Array.from({ length: 10 }, () => (random.next() < 0.3 ? "#" : ".")).join(""),
      );
      const { zone } = createTestZone(drawMap(rows));
      const free = rows.flatMap((row, y) =>
        row.split("").flatMap((letter, x) => (letter === "." ? [{ x: x + 0.5, y: y + 0.5 }] : [])),
      );
      const to = random.pick(free);
      join(zone, "ada", random.pick(free), { radius, speed: 1 + random.next() * 15 });
      if (!move(zone, "ada", { case: "destination", value: vector(to.x, to.y) }).moved) continue;
      walked++;
      for (let tick = 0; tick < 500 && zone.stateOf("ada")?.entity.walk; tick++) zone.step();
      const at = placeIn(zone, "ada");
      expect(Math.abs(at.x - to.x) + Math.abs(at.y - to.y)).toBeLessThan(1e-9);
    }
    expect(walked).toBeGreaterThan(100);
  },
);
