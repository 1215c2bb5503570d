import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MoveRefusal } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import {
  barriers,
  componentIn,
  createTestZone,
  drawMap,
  edit,
  join,
  move,
  placeIn,
  set,
  steps,
  vector,
} from "../../test/support/sim.ts";
import { EPSILON_TILES, MAX_OFFSET_TILES, distance, standsFree } from "./movement.ts";
import type { Zone } from "./zone.ts";

const FIELD = Array.from({ length: 24 }, () => ".".repeat(24));
const SPEED = 4;

function zoneWith(rows: readonly string[] = FIELD): Zone {
  return createTestZone(drawMap(rows)).zone;
}

const offset = (x: number, y: number, z = 0): MoveRequest["kind"] => ({
  case: "offset",
  value: vector(x, y, z),
});
const direction = (x: number, y: number): MoveRequest["kind"] => ({
  case: "direction",
  value: vector(x, y),
});
const destination = (x: number, y: number): MoveRequest["kind"] => ({
  case: "destination",
  value: vector(x, y),
});

describe("a step by an offset", () => {
  it("[PY-7] is made at once when it is legal", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5, y: 5 });
    const answer = move(zone, "ada", offset(1, -0.5), 3);
    expect(answer).toMatchObject({
      moved: true,
      refusal: MoveRefusal.UNSPECIFIED,
      sequence: 3,
      tick: 1,
    });
    expect(answer.position).toMatchObject({ x: 6, y: 4.5, z: 0 });
    expect(placeIn(zone, "ada")).toEqual({ x: 6, y: 4.5 });
  });

  const illegal: [string, MoveRequest["kind"], keyof typeof MoveRefusal][] = [
    ["into a barrier", offset(1, 0), "BARRIER"],
    ["through a barrier's corner", offset(0.8, -0.8), "BARRIER"],
    ["longer than an offset may be", offset(-1.6, 0), "TOO_FAR"],
    ["out of the map", offset(0, 1.4), "OUT_OF_MAP"],
    ["up", offset(0, 0, 1), "NO_GROUND"],
    ["nowhere", offset(Number.NaN, 0), "NOT_A_PLACE"],
    ["endlessly far", offset(0, Number.NEGATIVE_INFINITY), "NOT_A_PLACE"],
    ["at all", { case: undefined }, "NOT_A_PLACE"],
    ["into somebody", offset(-1, 0), "OCCUPIED"],
  ];
  it.each(illegal)("[PY-7] is not made %s, and the answer says why", (_, kind, refusal) => {
    const zone = zoneWith(["...#", "...#", "...."]);
    join(zone, "ada", { x: 2.5, y: 1.7 });
    join(zone, "bob", { x: 1.4, y: 1.7 });
    const answer = move(zone, "ada", kind, 9);
    expect(answer).toMatchObject({ moved: false, refusal: MoveRefusal[refusal], sequence: 9 });
    expect(placeIn(zone, "ada")).toEqual({ x: 2.5, y: 1.7 });
  });

  it("[AL-5] is not made faster than the speed allows, and is again after a while", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5, y: 5 });
    expect(move(zone, "ada", offset(1.5, 0)).moved).toBe(true);
    expect(move(zone, "ada", offset(0.1, 0)).refusal).toBe(MoveRefusal.TOO_FAST);
    steps(zone, 2);
    expect(move(zone, "ada", offset(0.9, 0)).refusal).toBe(MoveRefusal.TOO_FAST);
    expect(move(zone, "ada", offset(0.8, 0)).moved).toBe(true);
  });

  it("[SM-15] goes through what is not solid", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5, y: 5 });
    join(zone, "ghost", { x: 6, y: 5 }, { physical: false });
    expect(move(zone, "ada", offset(1, 0)).moved).toBe(true);
    expect(move(zone, "ghost", offset(0.2, 0)).moved).toBe(true);
  });
});

describe("walking to a place", () => {
  it("[JW-2] converges from every direction, and stops there", () => {
    for (let i = 0; i < 16; i++) {
      const angle = (i * Math.PI) / 8;
      const zone = zoneWith();
      join(zone, "ada", { x: 12 + 8 * Math.cos(angle), y: 12 + 8 * Math.sin(angle) });
      expect(move(zone, "ada", destination(12.25, 11.75)).moved).toBe(true);
      let before = Infinity;
      for (let tick = 0; tick < 24; tick++) {
        zone.step();
        const now = distance(placeIn(zone, "ada"), { x: 12.25, y: 11.75 });
        expect(now).toBeLessThanOrEqual(before);
        before = now;
      }
      expect(before).toBeLessThan(1e-6);
      const { entity } = zone.stateOf("ada") ?? {};
      expect(entity?.walk).toBeUndefined();
      expect(entity?.velocity).toMatchObject({ x: 0, y: 0 });
    }
  });

  const maze = [
    "........",
    ".######.",
    ".#....#.",
    ".#.##.#.",
    ".#.#..#.",
    ".#.####.",
    ".#......",
    "........",
  ];

  it.each([0.2, 0.35, 0.5])("finds the way around walls with a radius of %s", (radius) => {
    const zone = zoneWith(maze);
    join(zone, "ada", { x: 4.5, y: 4.5 }, { radius, speed: 8 });
    expect(move(zone, "ada", destination(0.5, 0.5)).moved).toBe(true);
    for (let tick = 0; tick < 60; tick++) {
      zone.step();
      const { x, y } = placeIn(zone, "ada");
      expect(standsFree(zone.map, x, y, radius)).toBe(true);
    }
    expect(distance(placeIn(zone, "ada"), { x: 0.5, y: 0.5 })).toBeLessThan(1e-6);
  });

  it.each([
    ["a wall", destination(2.5, 1.5), MoveRefusal.BARRIER],
    ["an enclosed place", destination(5.5, 1.5), MoveRefusal.NO_PATH],
    ["a place outside", destination(-1, 1), MoveRefusal.OUT_OF_MAP],
    ["nowhere", destination(Number.NaN, 1), MoveRefusal.NOT_A_PLACE],
  ])("[PY-7] refuses %s", (_, kind, refusal) => {
    const zone = zoneWith(["..#.###", "..#.#.#", "..#.###", "..#...."]);
    join(zone, "ada", { x: 0.5, y: 0.5 });
    expect(move(zone, "ada", kind).refusal).toBe(refusal);
  });

  it("refuses what is too far", () => {
    const zone = zoneWith([".".repeat(300)]);
    join(zone, "ada", { x: 0.5, y: 0.5 });
    expect(move(zone, "ada", destination(299.5, 0.5)).refusal).toBe(MoveRefusal.TOO_FAR);
  });

  it("[JW-2] goes around those who stand in the way", () => {
    const zone = zoneWith(Array.from({ length: 9 }, () => ".".repeat(12)));
    join(zone, "ada", { x: 1.5, y: 4.5 });
    join(zone, "bob", { x: 4.5, y: 4.5 });
    join(zone, "cyd", { x: 4.6, y: 3.6 });
    join(zone, "dan", { x: 7.2, y: 4.4 });
    move(zone, "ada", destination(10.5, 4.5));
    steps(zone, 60);
    expect(placeIn(zone, "ada")).toEqual({ x: 10.5, y: 4.5 });
  });

  it.each([0.7, 0.8, 1, 1.3])("goes around somebody who stands %s tiles ahead", (ahead) => {
    for (const aside of [0, 0.1, 0.2]) {
      const zone = zoneWith(["############", "............", "............", "############"]);
      join(zone, "ada", { x: 2.3, y: 1.5 });
      join(zone, "bob", { x: 2.3 + ahead, y: 1.5 + aside });
      move(zone, "ada", destination(10.5, 1.5));
      steps(zone, 60);
      expect(distance(placeIn(zone, "ada"), { x: 10.5, y: 1.5 }), `${aside}`).toBeLessThan(1e-6);
    }
  });

  it("goes around them too when it is told the same destination every tick", () => {
    const zone = zoneWith(Array.from({ length: 9 }, () => ".".repeat(12)));
    join(zone, "ada", { x: 3.8, y: 4.5 });
    join(zone, "bob", { x: 4.5, y: 4.5 });
    for (let tick = 0; tick < 40; tick++) {
      expect(move(zone, "ada", destination(10.5, 4.5)).moved).toBe(true);
      zone.step();
    }
    expect(placeIn(zone, "ada")).toEqual({ x: 10.5, y: 4.5 });
  });

  it("gives up before somebody who stays in the way", () => {
    const zone = zoneWith([".".repeat(12)]);
    join(zone, "ada", { x: 0.5, y: 0.5 });
    join(zone, "bob", { x: 4.5, y: 0.5 });
    move(zone, "ada", destination(9.5, 0.5));
    steps(zone, 60);
    expect(zone.stateOf("ada")?.entity.walk).toBeUndefined();
    expect(placeIn(zone, "ada").x).toBeLessThanOrEqual(3.8);
  });
});

describe("walking in a direction", () => {
  it("goes on until the next Move, at the part of the speed that is asked for", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5, y: 5 });
    move(zone, "ada", direction(0.5, 0));
    steps(zone, 10);
    expect(placeIn(zone, "ada").x).toBeCloseTo(7, 6);
    expect(zone.stateOf("ada")?.entity.velocity?.x).toBeCloseTo(2, 2);
    move(zone, "ada", direction(0, 300));
    steps(zone, 10);
    expect(placeIn(zone, "ada").y).toBeCloseTo(9, 6);
    move(zone, "ada", direction(0, 0));
    steps(zone, 10);
    expect(placeIn(zone, "ada").y).toBeCloseTo(9, 6);
  });

  it("slides along walls", () => {
    const zone = zoneWith(["....", "....", "####"]);
    join(zone, "ada", { x: 0.5, y: 1.5 });
    move(zone, "ada", direction(0.6, 0.8));
    steps(zone, 6);
    expect(placeIn(zone, "ada").x).toBeGreaterThan(1.5);
    expect(placeIn(zone, "ada").y).toBeLessThanOrEqual(1.65);
  });
});

describe("nobody gets stuck", () => {
  it("when a barrier is put beside a slow walker", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5.9, y: 5.5 }, { speed: 0.5 });
    edit(zone, barriers(6, 5, 1, 1));
    const { x, y } = placeIn(zone, "ada");
    expect(standsFree(zone.map, x, y, 0.35)).toBe(true);
    move(zone, "ada", direction(-1, 0));
    steps(zone, 10);
    expect(placeIn(zone, "ada").x).toBeCloseTo(x - 0.5, 6);
  });

  it("when a walker becomes wider beside a wall", () => {
    const zone = zoneWith(["....#", "....#", "....#", "....#"]);
    join(zone, "ada", { x: 3.64, y: 1.5 }, { speed: 0.5 });
    set(zone, "ada", "body.radius", { case: "doubleValue", value: 0.5 });
    move(zone, "ada", direction(-1, 0));
    steps(zone, 10);
    expect(placeIn(zone, "ada").x).toBeLessThan(3.3);
  });

  it("when two that stand in each other become solid: they can go apart, not closer", () => {
    const zone = zoneWith();
    join(zone, "ada", { x: 5.1, y: 5 }, { physical: false });
    join(zone, "bob", { x: 5, y: 5 });
    set(zone, "ada", "body.physical", { case: "boolValue", value: true });
    expect(move(zone, "ada", offset(-0.05, 0)).refusal).toBe(MoveRefusal.OCCUPIED);
    move(zone, "ada", direction(1, 0));
    steps(zone, 5);
    expect(placeIn(zone, "ada").x).toBeCloseTo(7.1, 6);
  });
});

interface Order {
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly times: number;
}

const coordinate = fc.double({ min: -1.6, max: 1.6, noNaN: true });
/** What a cheat would try: to use everything up, then many steps as short as the slack of comparisons. */
const cheats = fc.constantFrom(
  { kind: "offset", x: MAX_OFFSET_TILES, y: 0, times: 2 },
  { kind: "offset", x: -EPSILON_TILES, y: 0, times: 400 },
  { kind: "offset", x: 0, y: EPSILON_TILES / 3, times: 400 },
  { kind: "dash", x: 1, y: 0, times: 8 },
);
const order = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("offset", "direction"),
      x: coordinate,
      y: coordinate,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: cheats },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("destination"),
      x: fc.double({ min: 0, max: 24, noNaN: true }),
      y: fc.double({ min: 0, max: 24, noNaN: true }),
      times: fc.constant(1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait"),
      x: coordinate,
      y: coordinate,
      times: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

/** A dash: to walk and, before walking on, to step as far as an offset goes, again and again. */
function inDetail(item: Order): Order[] {
  if (item.kind !== "dash") return [item];
  return Array.from({ length: item.times }, (_, i) => {
    const x = i % 4 < 2 ? item.x : -item.x;
    return [
      { kind: "direction", x, y: 0, times: 1 },
      { kind: "wait", x: 0, y: 0, times: 4 },
      { kind: "offset", x: x * MAX_OFFSET_TILES, y: 0, times: 1 },
    ];
  }).flat();
}

function carryOut(
  zone: Zone,
  name: string,
  { kind, x, y }: { kind: string; x: number; y: number },
): void {
  if (kind === "offset") move(zone, name, offset(x, y));
  else if (kind === "direction") move(zone, name, direction(x, y));
  else move(zone, name, destination(x, y));
}

describe("whatever a client sends", () => {
  it("[AL-5] nobody covers more in any time than their speed and one offset allow", () => {
    fc.assert(
      fc.property(fc.array(order, { maxLength: 60 }), (orders) => {
        const zone = zoneWith([
          "...........#............",
          ...FIELD.slice(2),
          "...#....................",
        ]);
        join(zone, "ada", { x: 12, y: 12 });
        // The way covered so far, before and after each tick.
        const covered = [0];
        let before = placeIn(zone, "ada");
        const measure = () => {
          const now = placeIn(zone, "ada");
          covered[covered.length - 1] = (covered.at(-1) ?? 0) + distance(before, now);
          before = now;
        };
        for (const item of orders.flatMap(inDetail)) {
          for (let i = 0; i < item.times; i++) {
            if (item.kind === "wait") {
              covered.push(covered.at(-1) ?? 0);
              zone.step();
            } else carryOut(zone, "ada", item);
            measure();
          }
        }
        for (let from = 0; from < covered.length; from++) {
          const start = from === 0 ? 0 : (covered[from - 1] as number);
          for (let to = from; to < covered.length; to++) {
            const seconds = (to - from + (from === 0 ? 0 : 1)) / zone.tickRateHz;
            expect((covered[to] as number) - start).toBeLessThanOrEqual(
              SPEED * seconds + MAX_OFFSET_TILES + 0.01,
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("[SM-15] solid circles never overlap, and nobody is ever in a barrier", () => {
    const rows = fc.array(
      fc.array(fc.constantFrom(".", ".", ".", "#"), { minLength: 12, maxLength: 12 }),
      { minLength: 12, maxLength: 12 },
    );
    const walks = fc.array(fc.tuple(fc.nat(5), order), { maxLength: 80 });
    const radii = fc.array(fc.double({ min: 0.05, max: 0.5, noNaN: true }), {
      minLength: 6,
      maxLength: 6,
    });
    fc.assert(
      fc.property(rows, walks, radii, (map, orders, sizes) => {
        const zone = zoneWith(
          map.map((row, y) => row.join("").replace(/^../, y < 6 ? ".." : "$&")),
        );
        const names = sizes.map((_, i) => `p${i}`);
        names.forEach((name, i) =>
          join(zone, name, { x: 1, y: i + 0.5 }, { radius: sizes[i] as number, speed: 2 + i * 3 }),
        );
        check(zone, names);
        const parts = orders.flatMap(([i, item]) =>
          inDetail(item).map((part) => [i, part] as const),
        );
        for (const [i, item] of parts) {
          for (let n = 0; n < Math.min(item.times, 5); n++) {
            if (item.kind === "wait") zone.step();
            else carryOut(zone, names[i] as string, item);
            check(zone, names);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

function check(zone: Zone, names: readonly string[]): void {
  const circles = names.map((name) => {
    const radius = componentIn(zone, name, BodySchema)?.radius ?? 0;
    return { name, radius, ...placeIn(zone, name) };
  });
  for (const [i, a] of circles.entries()) {
    expect(standsFree(zone.map, a.x, a.y, a.radius - 1e-9), `${a.name} in a barrier`).toBe(true);
    for (const b of circles.slice(0, i)) {
      expect(distance(a, b), `${a.name} in ${b.name}`).toBeGreaterThanOrEqual(
        a.radius + b.radius - 1e-9,
      );
    }
  }
}
