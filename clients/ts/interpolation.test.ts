import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createInterpolator } from "./interpolation.ts";
import type { InterpolatorOptions } from "./interpolation.ts";
import { TOWN, update } from "./testing/messages.ts";
import { createWorldView } from "./world-view.ts";

/** A view with one entity at the origin in tick 100, an interpolator, and the tick that it takes for now. */
function createStage(options: Partial<InterpolatorOptions> = {}, velocity = { x: 0, y: 0 }) {
  const view = createWorldView();
  const clock = { tick: 100, tickNow: () => clock.tick, tickMs: () => 100 };
  const interpolator = createInterpolator({ view, clock, ...options });
  view.apply(update({ tick: 100, scene: TOWN, entities: [{ id: 1, name: "ada", velocity }] }));
  const units = (tiles: number): number => tiles * 256;
  const move = (tick: number, x: number, y = 0): void =>
    view.apply(update({ tick, moved: { ids: [1], xs: [units(x)], ys: [units(y)] } }));
  const turn = (tick: number, vx: number): void =>
    view.apply(update({ tick, turned: { ids: [1], xs: [units(vx)], ys: [0] } }));
  /** Where the entity is drawn when the tick under way is this one. */
  const x = (tick: number): number | undefined => {
    clock.tick = tick;
    return interpolator.position(1)?.x;
  };
  return { view, interpolator, move, turn, x };
}

test("positions lie on the line between two snapshots, two ticks in the past", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  move(101, 1);
  move(102, 2);
  expect(x(102)).toBe(0);
  expect(x(102.5)).toBeCloseTo(0.5, 9);
  expect(x(103)).toBeCloseTo(1, 9);
  expect(x(103.75)).toBeCloseTo(1.75, 9);
});

test("the delay can be chosen in milliseconds", () => {
  const { move, x } = createStage({ delayMs: 50 }, { x: 10, y: 0 });
  move(101, 1);
  expect(x(101)).toBeCloseTo(0.5, 9);
});

test("late news are bridged by the velocity, but not for long", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  move(101, 1);
  expect(x(103)).toBeCloseTo(1, 9);
  expect(x(104)).toBeCloseTo(2, 9);
  expect(x(105.5)).toBeCloseTo(3.5, 9);
  expect(x(200)).toBeCloseTo(3.5, 9);
});

test("who stood still does not creep to the first step", () => {
  const { move, x } = createStage();
  move(110, 1);
  expect(x(110)).toBe(0);
  expect(x(111)).toBe(0);
  expect(x(111.5)).toBeCloseTo(0.5, 9);
  expect(x(112)).toBeCloseTo(1, 9);
});

test("who walks is drawn on the line even where a tick is missing", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  move(104, 4);
  expect(x(104)).toBeCloseTo(2, 9);
});

test("a leap is not walked", () => {
  const { move, x } = createStage();
  move(101, 50);
  expect(x(102.9)).toBe(0);
  expect(x(103)).toBe(50);
});

test("the way of somebody very fast is no leap", () => {
  const { move, x } = createStage({}, { x: 400, y: 0 });
  move(101, 40);
  expect(x(102.5)).toBeCloseTo(20, 9);
});

test("a stop stays a stop", () => {
  const { move, turn, x } = createStage({}, { x: 10, y: 0 });
  move(101, 1);
  turn(102, 0);
  expect(x(103.5)).toBe(1);
  expect(x(900)).toBe(1);
});

test("who leaves is gone, who is in view before the interpolator is there", () => {
  const { view, interpolator, x } = createStage();
  const later = createInterpolator({ view, clock: { tickNow: () => 200, tickMs: () => 100 } });
  expect(later.position(1)).toEqual({ x: 0, y: 0, z: 0 });
  view.apply(update({ tick: 101, left: [1] }));
  expect(x(102)).toBeUndefined();
  expect(later.position(1)).toBeUndefined();
  interpolator.close();
  view.apply(update({ tick: 102, entities: [{ id: 1, name: "ada" }] }));
  expect(x(104)).toBeUndefined();
});

test("of what an entity did, the last 32 snapshots are kept", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  for (let tick = 101; tick <= 200; tick++) move(tick, tick - 100);
  expect(x(150)).toBe(200 - 100 - 31);
  expect(x(180)).toBe(180 - 102);
});

test("without a known tick the newest position is drawn", () => {
  const view = createWorldView();
  const clock = { tickNow: () => undefined, tickMs: () => undefined };
  const interpolator = createInterpolator({ view, clock });
  view.apply(update({ tick: 1, entities: [{ id: 1, position: { x: 4 } }] }));
  expect(interpolator.position(1)?.x).toBe(4);
});

test("for however long it runs, it draws smoothly: never faster than the entity, never off its way", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 2, maxLength: 120 }),
      (ways) => {
        const { turn, move, x } = createStage();
        let at = 0;
        let drawn = 0;
        ways.forEach((way, index) => {
          const tick = 101 + index;
          at += way * 0.5;
          turn(tick, way * 5);
          move(tick, at);
          for (const part of [0, 0.25, 0.5, 0.75]) {
            const next = x(tick + part) ?? NaN;
            // 5 tiles a second is an eighth of a tile in a quarter of a tick.
            expect(Math.abs(next - drawn)).toBeLessThanOrEqual(0.125 + 1e-9);
            drawn = next;
          }
        });
        expect(x(1_000)).toBeCloseTo(at + (ways.at(-1) ?? 0) * 5 * 0.25, 9);
      },
    ),
  );
});
