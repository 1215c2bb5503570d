import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawMap } from "../../test/support/sim.ts";
import {
  MAX_OFFSET_TILES,
  clampDirection,
  passesFree,
  refillAllowance,
  slide,
  standsFree,
} from "./movement.ts";
import { createWorldMap } from "./world-map.ts";

const ground = createWorldMap(drawMap(["....", ".#..", "....", "...."]));

describe("standsFree", () => {
  it("touches a barrier's edge but does not enter it", () => {
    expect(standsFree(ground, 2.35, 1.5, 0.35)).toBe(true);
    expect(standsFree(ground, 2.34, 1.5, 0.35)).toBe(false);
    expect(standsFree(ground, 1.5, 1.5, 0)).toBe(false);
  });

  it("is round at corners, and the map's end is a barrier", () => {
    expect(standsFree(ground, 2.25, 2.25, 0.35)).toBe(true);
    expect(standsFree(ground, 2.24, 2.24, 0.35)).toBe(false);
    expect(standsFree(ground, 0.34, 0.5, 0.35)).toBe(false);
    expect(standsFree(ground, 3.66, 3.5, 0.35)).toBe(false);
  });
});

it("passesFree sees a barrier in the middle of the way", () => {
  expect(passesFree(ground, { x: 0.5, y: 1.5 }, { x: 3.5, y: 1.5 }, 0.3)).toBe(false);
  expect(passesFree(ground, { x: 0.5, y: 2.5 }, { x: 3.5, y: 2.5 }, 0.3)).toBe(true);
});

describe("slide", () => {
  const isFree = (x: number, y: number) => standsFree(ground, x, y, 0.35);

  it("goes along a wall when it cannot go through it", () => {
    const to = slide({ x: 0.6, y: 1.5 }, 0.4, 0.4, isFree);
    expect(to.x).toBeLessThan(0.66);
    expect(to.y).toBeCloseTo(1.9, 9);
  });

  it("never goes further than it wants, nor into what is not free", () => {
    const number = fc.double({ min: -2, max: 2, noNaN: true });
    const place = fc.double({ min: 0.4, max: 3.6, noNaN: true });
    fc.assert(
      fc.property(place, place, number, number, (x, y, dx, dy) => {
        fc.pre(isFree(x, y));
        const to = slide({ x, y }, dx, dy, isFree);
        expect(isFree(to.x, to.y)).toBe(true);
        expect(Math.sqrt((to.x - x) ** 2 + (to.y - y) ** 2)).toBeLessThanOrEqual(
          Math.sqrt(dx * dx + dy * dy) + 1e-9,
        );
      }),
    );
  });
});

it("clampDirection cuts what is longer than 1 and leaves the rest", () => {
  expect(clampDirection(3, 4)).toEqual({ x: 0.6, y: 0.8 });
  expect(clampDirection(0.3, -0.4)).toEqual({ x: 0.3, y: -0.4 });
});

it("refillAllowance saves up no more than one longest offset", () => {
  expect(refillAllowance(0, 4, 0.1)).toBeCloseTo(0.4);
  expect(refillAllowance(1.4, 4, 0.1)).toBe(MAX_OFFSET_TILES);
});
