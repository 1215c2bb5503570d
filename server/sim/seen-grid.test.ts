import fc from "fast-check";
import { expect, test } from "vitest";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { EntityTable } from "./entity-table.ts";
import { SeenGrid } from "./seen-grid.ts";

/** Places on a grid of an eighth, so that many lie exactly on a rim or an edge. */
const coordinate = fc.integer({ min: -20 * 8, max: 70 * 8 }).map((eighths) => eighths / 8);
const place = fc.record({ x: coordinate, y: coordinate, isThere: fc.boolean() });

test("finds exactly those in the circle, wherever they are, outside of the map too", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(place, { maxLength: 200 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(coordinate, coordinate, fc.integer({ min: 0, max: 240 })), {
        minLength: 1,
      }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      (worlds, looks, width, height) => {
        const grid = new SeenGrid(width, height);
        for (const places of worlds) {
          grid.sort({
            ids: Uint32Array.from(places, ({ isThere }, slot) => (isThere ? slot + 1 : 0)),
            seenXs: Float64Array.from(places, ({ x }) => x),
            seenYs: Float64Array.from(places, ({ y }) => y),
            limit: places.length,
          });
          for (const [x, y, eighths] of looks) {
            const radius = eighths / 8;
            const { slots, count } = grid.around(x, y, radius);
            const inside = places.flatMap((at, slot) =>
              at.isThere && (at.x - x) ** 2 + (at.y - y) ** 2 <= radius ** 2 ? [slot] : [],
            );
            expect([...slots.subarray(0, count)].sort((a, b) => a - b)).toEqual(inside);
          }
        }
      },
    ),
  );
});

test("whatever changes where somebody is seen counts with the next look", () => {
  const table = new EntityTable({ width: 64, height: 64, tickRateHz: 10 });
  const seen = () => {
    const { slots, count } = table.seenAround(10, 10, 5);
    return [...slots.subarray(0, count)].map((slot) => table.ids[slot]);
  };
  const add = (id: number, x: number) =>
    table.add({ id, name: `${id}`, kind: EntityKind.OBJECT, x, y: 10 }, 1);
  expect(seen()).toEqual([]);
  const one = add(1, 10);
  expect(seen()).toEqual([1]);
  const two = add(2, 30);
  table.place(two, 12, 10);
  expect(seen(), "viewers are told with the tick").toEqual([1]);
  table.follow(2);
  expect(seen()).toEqual([1, 2]);
  table.turn(two, 20, 0);
  table.follow(3);
  table.place(two, 14, 10);
  table.follow(4);
  expect(seen()).toEqual([1, 2]);
  table.remove(one);
  expect(seen()).toEqual([2]);
  for (let id = 3; id < 200; id++) add(id, 11);
  expect(seen()).toHaveLength(198);
});
