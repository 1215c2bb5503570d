import { create, isMessage } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { CreatureSchema, PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema, EntityKind, EntitySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { createUnpack } from "./components.ts";
import { createEntityRecord } from "./entity.ts";
import type { EntityChanges, Moment } from "./entity.ts";
import { pack } from "./testing/messages.ts";

const hen = create(EntitySchema, {
  id: 7,
  name: "Berta",
  kind: EntityKind.CREATURE,
  visual: "hen",
  position: { x: 1.5, y: 2 },
  components: [pack(CreatureSchema, { health: 3 }), pack(BodySchema, { visual: "hen", speed: 2 })],
});

/** A tick of ten in a second. */
const at = (tick: number): Moment => ({ tick, rateHz: 10 });

function createHen(known: Parameters<typeof createUnpack>[0] = [CreatureSchema]) {
  const damaged: string[] = [];
  const record = createEntityRecord(hen, 100, createUnpack(known), () => damaged.push("damaged"));
  return { record, entity: record.entity, damaged };
}

test("the full form is there, with typed components", () => {
  const { entity } = createHen();
  expect(entity).toMatchObject({ id: 7, name: "Berta", kind: EntityKind.CREATURE, visual: "hen" });
  expect(entity.position).toEqual({ x: 1.5, y: 2, z: 0 });
  expect(entity.velocity).toEqual({ x: 0, y: 0, z: 0 });
  expect(entity.get(CreatureSchema)?.health).toBe(3);
  expect(entity.get(BodySchema)?.speed).toBe(2);
  expect(entity.get(PurseSchema)).toBeUndefined();
});

test("a component of an unknown type stays an Any until somebody asks for it by its type", () => {
  const { entity } = createHen([]);
  expect(isMessage(entity.components.get("meadow.v1.Creature"), AnySchema)).toBe(true);
  expect(entity.get(CreatureSchema)?.health).toBe(3);
  expect(isMessage(entity.components.get("meadow.v1.Creature"), CreatureSchema)).toBe(true);
});

test("a damaged component is told and does no harm", () => {
  const { record, entity, damaged } = createHen();
  const typeUrl = "type.googleapis.com/meadow.v1.Creature";
  record.setComponent(create(AnySchema, { typeUrl, value: Uint8Array.of(0xff) }));
  expect(damaged).toEqual(["damaged"]);
  expect(entity.get(CreatureSchema)).toBeUndefined();
});

test("changes say whether something is different", () => {
  const { record } = createHen();
  expect(record.turn({ x: 0, y: 0, z: 0 }, at(100))).toBe(false);
  expect(record.turn({ x: 0, y: 1, z: 0 }, at(100))).toBe(true);
  expect(record.setComponent(pack(CreatureSchema, { health: 3 }))).toBe(false);
  expect(record.setComponent(pack(CreatureSchema, { health: 2 }))).toBe(true);
  expect(record.entity.get(CreatureSchema)?.health).toBe(2);
});

test("the position follows when the entity goes on, as a new object if it is another place", () => {
  const { record, entity } = createHen();
  const before = entity.position;
  record.place({ x: 1.5, y: 2, z: 0 }, at(101));
  expect(record.goOn(at(101))).toBe(false);
  expect(entity.position).toBe(before);
  record.place({ x: 1.5, y: 2, z: 1 }, at(102));
  expect(entity.position).toBe(before);
  expect(record.goOn(at(102))).toBe(true);
  expect(entity.position.z).toBe(1);
  expect(before.z).toBe(0);
  expect(record.goOn(at(110))).toBe(false);
  record.turn({ x: 5, y: 0, z: 0 }, at(111));
  expect(record.goOn(at(111))).toBe(true);
  expect(entity.position).toEqual({ x: 2, y: 2, z: 1 });
});

test("the picture follows the body", () => {
  const { record, entity } = createHen();
  record.setComponent(pack(BodySchema, { visual: "roast" }));
  expect(entity.visual).toBe("roast");
});

test("a newer full form tells what it changes, lost components included", () => {
  const { record, entity } = createHen();
  const changes: EntityChanges = { position: false, velocity: false, components: new Set() };
  record.replace(
    create(EntitySchema, {
      ...hen,
      velocity: create(VectorSchema, { x: 1 }),
      components: [pack(BodySchema, { visual: "hen", speed: 2 }), pack(PurseSchema, { gold: 1n })],
    }),
    120,
    changes,
  );
  expect(changes).toEqual({
    position: false,
    velocity: true,
    components: new Set(["meadow.v1.Creature", "meadow.v1.Purse"]),
  });
  record.goOn(at(125));
  expect(entity.position).toEqual({ x: 2, y: 2, z: 0 });
  expect([...entity.components.keys()].sort()).toEqual(["meadow.v1.Purse", "realmwire.v1.Body"]);
});
