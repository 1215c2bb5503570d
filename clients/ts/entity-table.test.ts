import { expect, test } from "vitest";
import { CreatureSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { createUnpack } from "./components.ts";
import { createEntityTable } from "./entity-table.ts";
import { pack, TOWN, update } from "./testing/messages.ts";

function createTable() {
  const problems: string[] = [];
  const table = createEntityTable(createUnpack([CreatureSchema]), () => problems.push("problem"));
  table.apply(update({ entities: [{ id: 1, name: "ada" }] }), true);
  return { table, problems };
}

test("who comes into view has not changed, even if more is said of it", () => {
  const { table, problems } = createTable();
  const batch = table.apply(
    update({
      entities: [{ id: 2, name: "hen" }],
      moved: { ids: [2], xs: [256], ys: [0] },
      changed: [{ id: 2, components: [pack(CreatureSchema, { health: 1 })] }],
    }),
    true,
  );
  expect(batch.added).toMatchObject([{ id: 2, position: { x: 1 } }]);
  expect(batch.changed.size).toBe(0);
  expect(problems).toEqual([]);
});

test("news that bring nothing new are no change", () => {
  const { table } = createTable();
  const ada = { id: 1, name: "ada" };
  const still = { ids: [1], xs: [0], ys: [0] };
  const batch = table.apply(update({ entities: [ada], moved: still, turned: still }), true);
  expect(batch).toMatchObject({ added: [], removed: [] });
  expect(batch.changed.size).toBe(0);
});

test("an id that leaves and comes in one message is removed and added", () => {
  const { table } = createTable();
  const before = table.entities.get(1);
  const batch = table.apply(update({ left: [1], entities: [{ id: 1, name: "ada" }] }), true);
  expect(batch.removed).toEqual([before]);
  expect(batch.added).toEqual([table.entities.get(1)]);
  expect(batch.added[0]).not.toBe(before);
});

/** A table of 10 ticks a second in which ada goes east by 2 tiles a second, from the origin in tick 100. */
function createWalk() {
  const problems: string[] = [];
  const table = createEntityTable(createUnpack([]), () => problems.push("problem"));
  const ada = { id: 1, name: "ada", velocity: { x: 2 } };
  table.apply(update({ tick: 100, scene: TOWN, entities: [ada] }), false);
  const apply = (init: Parameters<typeof update>[0], isSameRun = true) =>
    table.apply(update(init), isSameRun).changed.get(table.entities.get(1) ?? never());
  const position = () => table.entities.get(1)?.position;
  return { table, apply, position, problems };
}

function never(): never {
  throw new Error("ada is not in view");
}

test("who is not spoken of goes on, by as many ticks as lie between the messages", () => {
  const { apply, position } = createWalk();
  expect(apply({ tick: 101 })).toMatchObject({ position: true, velocity: false });
  expect(position()).toEqual({ x: 0.2, y: 0, z: 0 });
  apply({ tick: 150 });
  expect(position()?.x).toBeCloseTo(10, 12);
});

test("a turn holds from the tick before on; until there the old velocity did", () => {
  const { apply, position } = createWalk();
  const changes = apply({ tick: 110, turned: { ids: [1], xs: [0], ys: [1280] } });
  expect(changes).toMatchObject({ position: true, velocity: true });
  expect(position()?.x).toBeCloseTo(1.8, 12);
  expect(position()?.y).toBeCloseTo(0.5, 12);
});

test("who stops at once stays where it was a tick ago", () => {
  const { apply, position } = createWalk();
  apply({ tick: 109 });
  const before = position();
  const changes = apply({ tick: 110, turned: { ids: [1], xs: [0], ys: [0] } });
  expect(changes).toMatchObject({ position: false, velocity: true });
  expect(position()).toBe(before);
});

test("who is only moved keeps the velocity", () => {
  const { apply, position } = createWalk();
  const moved = { ids: [1], xs: [2560], ys: [0] };
  expect(apply({ tick: 101, moved })).toMatchObject({ position: true, velocity: false });
  expect(position()?.x).toBe(10);
  apply({ tick: 106 });
  expect(position()?.x).toBe(11);
});

test("who is moved and turned is where it was moved to, and goes on as it turned", () => {
  const { apply, position } = createWalk();
  const moved = { ids: [1], xs: [2560], ys: [0] };
  apply({ tick: 105, moved, turned: { ids: [1], xs: [-256], ys: [0] } });
  expect(position()?.x).toBe(10);
  apply({ tick: 115 });
  expect(position()?.x).toBe(9);
});

test("a full form is not rounded, and goes on by the velocity in it", () => {
  const { table, apply, position } = createWalk();
  const before = table.entities.get(1);
  const ada = { id: 1, name: "ada", position: { x: 1 / 3 }, velocity: { x: -1 } };
  expect(apply({ tick: 105, entities: [ada] })).toMatchObject({ position: true, velocity: true });
  expect(table.entities.get(1)).toBe(before);
  expect(position()?.x).toBe(1 / 3);
  apply({ tick: 115 });
  expect(position()?.x).toBeCloseTo(1 / 3 - 1, 12);
});

test("a resumed stream goes on from the tick where it was", () => {
  const { apply, position } = createWalk();
  apply({ tick: 110 });
  // The connection was lost for a minute; the server sends what changed since, which is nothing.
  apply({ tick: 710 });
  expect(position()?.x).toBeCloseTo(122, 9);
});

test("a scene sets the pace anew", () => {
  const { apply, position } = createWalk();
  const ada = { id: 1, name: "ada", velocity: { x: 2 } };
  apply({ tick: 200, scene: { ...TOWN, tickRateHz: 20 }, entities: [ada] });
  expect(position()?.x).toBe(0);
  apply({ tick: 220 });
  expect(position()?.x).toBe(2);
});

test("a column that is too short leaves those whom it lacks on their course", () => {
  const { apply, position, problems } = createWalk();
  apply({ tick: 110, moved: { ids: [1], xs: [2560], ys: [] }, turned: { ids: [1], xs: [256] } });
  expect(problems).toEqual(["problem", "problem"]);
  expect(position()?.x).toBe(2);
});
