import { expect, test } from "vitest";
import { CreatureSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { createUnpack } from "./components.ts";
import { createEntityTable } from "./entity-table.ts";
import { pack, update } from "./testing/messages.ts";

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
