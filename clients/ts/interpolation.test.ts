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
  const turn = (tick: number, vx: number, vy = 0): void =>
    view.apply(update({ tick, turned: { ids: [1], xs: [units(vx)], ys: [units(vy)] } }));
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

test("a steady walk needs no news: it goes on for a second and more", () => {
  const { x } = createStage({}, { x: 10, y: 0 });
  for (let tick = 102; tick <= 113; tick += 0.25) expect(x(tick)).toBeCloseTo(tick - 102, 9);
});

test("a stalled stream carries nobody away: 2.5 seconds after its last message all stand", () => {
  const { view, x } = createStage({}, { x: 10, y: 0 });
  expect(x(127)).toBeCloseTo(25, 9);
  expect(x(127.5)).toBeCloseTo(25, 9);
  expect(x(900)).toBeCloseTo(25, 9);
  // Then it goes on where it is by now, to which it slides if that is not far.
  x(128.5);
  view.apply(update({ tick: 128 }));
  expect(x(128.5)).toBeCloseTo(25, 9);
  expect(x(129.5)).toBeCloseTo(26.75, 9);
  expect(x(130.5)).toBeCloseTo(28.5, 9);
  expect(x(143)).toBeCloseTo(41, 9);
  expect(x(900)).toBeCloseTo(53, 9);
});

test("the length of that can be chosen", () => {
  const { x } = createStage({ maxExtrapolationMs: 300 }, { x: 10, y: 0 });
  expect(x(105)).toBeCloseTo(3, 9);
  expect(x(900)).toBeCloseTo(3, 9);
});

test("a corner between two messages is drawn where it was", () => {
  const { view, interpolator, turn, x } = createStage({}, { x: 10, y: 0 });
  turn(105, 0, 10);
  view.apply(update({ tick: 110 }));
  const y = () => interpolator.position(1)?.y;
  expect([x(105.5), y()]).toEqual([expect.closeTo(3.5, 9), 0]);
  expect([x(106), y()]).toEqual([expect.closeTo(4, 9), 0]);
  expect([x(106.5), y()]).toEqual([expect.closeTo(4, 9), expect.closeTo(0.5, 9)]);
  expect([x(111), y()]).toEqual([expect.closeTo(4, 9), expect.closeTo(5, 9)]);
  expect([x(115), y()]).toEqual([expect.closeTo(4, 9), expect.closeTo(9, 9)]);
});

test("without a delay everything is drawn where it is now", () => {
  const { x } = createStage({ delayMs: 0 }, { x: 10, y: 0 });
  expect(x(100)).toBe(0);
  expect(x(104.5)).toBeCloseTo(4.5, 9);
});

test("news that come too late are no jump: what was drawn wrong is mended over two ticks", () => {
  const { view, turn, x } = createStage({}, { x: 10, y: 0 });
  expect(x(104)).toBeCloseTo(2, 9);
  // It stopped in tick 100, at the origin.
  turn(101, 0);
  expect(x(104)).toBeCloseTo(2, 9);
  expect(x(105)).toBeCloseTo(1, 9);
  // Further messages that bring nothing of it do not draw that out.
  view.apply(update({ tick: 105 }));
  expect(x(106)).toBe(0);
  // A clock that is set back makes it no worse.
  expect(x(102)).toBeCloseTo(2, 9);
});

test("too late and too far, it leaps", () => {
  const { turn, x } = createStage({}, { x: 10, y: 0 });
  expect(x(105.5)).toBeCloseTo(3.5, 9);
  turn(101, 0);
  expect(x(105.5)).toBe(0);
});

test("who stood still does not creep to the first step", () => {
  const { move, x } = createStage();
  move(110, 1);
  expect(x(110)).toBe(0);
  expect(x(111)).toBe(0);
  expect(x(111.5)).toBeCloseTo(0.5, 9);
  expect(x(112)).toBeCloseTo(1, 9);
});

test("who walks is drawn on the line until the tick before a step", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  move(104, 3.5);
  expect(x(104)).toBeCloseTo(2, 9);
  expect(x(105)).toBeCloseTo(3, 9);
  expect(x(105.5)).toBeCloseTo(3.25, 9);
});

test("who is held in place is not carried on, though its position does not change", () => {
  const { move, x } = createStage({}, { x: 10, y: 0 });
  for (let tick = 101; tick <= 104; tick++) move(tick, 0);
  expect(x(105.5)).toBe(0);
  expect(x(107)).toBeCloseTo(1, 9);
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

test("of an entity's way the last 32 corners are kept, and none where it goes straight", () => {
  const { view, move, x } = createStage({}, { x: 10, y: 0 });
  for (let tick = 101; tick <= 200; tick++) view.apply(update({ tick }));
  expect(x(110)).toBeCloseTo(8, 9);
  // From here on every tick is a corner.
  for (let tick = 201; tick <= 300; tick++) {
    x(tick);
    move(tick, tick - 100 + (tick % 2));
  }
  expect(x(110)).toBe(300 - 100 - 31 + 1);
  expect(x(280)).toBe(278 - 100);
});

test("without a known tick the newest position is drawn", () => {
  const view = createWorldView();
  const clock = { tickNow: () => undefined, tickMs: () => undefined };
  const interpolator = createInterpolator({ view, clock });
  view.apply(update({ tick: 1, entities: [{ id: 1, position: { x: 4 } }] }));
  expect(interpolator.position(1)?.x).toBe(4);
  view.apply(update({ tick: 2, moved: { ids: [1], xs: [256], ys: [0] } }));
  expect(interpolator.position(1)?.x).toBe(1);
});

test("for however long it runs, it draws the way that the entity went, two ticks later", () => {
  const anyTurn = fc.record({
    ticks: fc.integer({ min: 1, max: 12 }),
    way: fc.integer({ min: -1, max: 1 }),
    isTold: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyTurn, { minLength: 1, maxLength: 60 }), (turns) => {
      const { view, turn, move, x } = createStage();
      // Where it was at each tick from 100 on.
      const way = [0];
      let velocity = 0;
      for (const next of turns) {
        for (let passed = 1; passed <= next.ticks; passed++) {
          if (passed === next.ticks) velocity = next.way * 5;
          way.push((way.at(-1) ?? 0) + velocity / 10);
          const tick = 99 + way.length;
          if (passed === next.ticks) turn(tick, velocity);
          // What is right is no change, whether it is told or not.
          if (next.isTold) move(tick, way.at(-1) ?? 0);
          else if (passed % 5 === 0) view.apply(update({ tick }));
          for (const part of [0, 0.25, 0.5, 0.75]) {
            const at = tick + part - 102;
            const [from, to] = [way[Math.floor(at)] ?? 0, way[Math.floor(at) + 1] ?? 0];
            expect(x(tick + part)).toBeCloseTo(at < 0 ? 0 : from + (to - from) * part, 9);
          }
        }
      }
      expect(x(1_000)).toBeCloseTo((way.at(-1) ?? 0) + velocity * 2.5, 9);
    }),
  );
});
