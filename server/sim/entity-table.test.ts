import { expect, test } from "vitest";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { COURSE_TOLERANCE_TILES, EntityTable } from "./entity-table.ts";

function begin() {
  const table = new EntityTable({ width: 64, height: 64, tickRateHz: 10 });
  const slot = table.add({ id: 1, name: "ada", kind: EntityKind.CHARACTER, x: 5, y: 5 }, 1);
  const walk = (tick: number, x: number, vx: number) => {
    table.place(slot, x, 5);
    table.turn(slot, vx, 0);
    table.follow(tick);
  };
  const news = (tick: number) => [
    table.movedTicks[slot] === tick ? "moved" : "",
    table.turnedTicks[slot] === tick ? "turned" : "",
  ];
  return { table, slot, walk, news };
}

test("who begins to walk has turned; who goes on is no news, and is shown where it is", () => {
  const { table, slot, walk, news } = begin();
  for (let tick = 2; tick <= 30; tick++) {
    walk(tick, 5 + (tick - 1) * 0.2, 2);
    expect(news(tick)).toEqual(["", tick === 2 ? "turned" : ""]);
    expect(table.shownX(slot, tick)).toBeCloseTo(table.xs[slot] as number, 9);
  }
});

test("a step without a velocity is told as a place, in whole units", () => {
  const { table, slot, walk, news } = begin();
  walk(2, 5.3, 0);
  expect(news(2)).toEqual(["moved", ""]);
  expect(table.shownX(slot, 2)).toBe(Math.round(5.3 * 256) / 256);
  walk(3, 5.3, 0);
  expect(news(3)).toEqual(["", ""]);
});

test("who drifts from the course is told once it is off by more than the tolerance, and never shown further off", () => {
  const { table, slot, walk, news } = begin();
  let told = 0;
  // Too little of a change to be a turn.
  for (let tick = 2; tick <= 200; tick++) {
    walk(tick, 5 + (tick - 1) * 0.2003, 2);
    if (tick > 2 && news(tick).some((what) => what !== "")) told++;
    const off = Math.abs((table.xs[slot] as number) - table.shownX(slot, tick));
    expect(off).toBeLessThanOrEqual(COURSE_TOLERANCE_TILES);
  }
  expect(told).toBeGreaterThan(3);
  expect(told).toBeLessThan(40);
});
