import { create, fromBinary } from "@bufbuild/protobuf";
import { AnySchema, DurationSchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { testTypes } from "../../test/support/sim.ts";
import {
  VIEWER_CLASSES,
  VIEWER_NEAR,
  VIEWER_OWNER,
  VIEWER_PARTY,
  createCell,
  createComponentTypes,
  encodeFor,
  packPersistent,
  touch,
} from "./components.ts";

describe("[PY-14] component types", () => {
  it("refuse a field without the option, by its name", () => {
    expect(() => createComponentTypes([DurationSchema])).toThrow(
      "google.protobuf.Duration.seconds",
    );
  });

  it("refuse two components of the same simple name", () => {
    expect(() => createComponentTypes([CounterSchema, CounterSchema])).toThrow("Counter");
  });

  it("find attributes by short and by full name, and none by an ambiguous one", () => {
    expect(testTypes.attribute("gold")).toBe(testTypes.attribute("purse.gold"));
    expect(testTypes.attribute("gold")?.field.name).toBe("gold");
    expect(testTypes.attribute("wings")).toBeUndefined();
    const twice = createComponentTypes([
      CounterSchema,
      { ...CounterSchema, name: "Tally", typeName: "meadow.v1.Tally" },
      { ...CounterSchema, name: "Score", typeName: "meadow.v1.Score" },
    ]);
    expect(twice.attribute("count")).toBeUndefined();
    expect(twice.attribute("tally.count")?.type.schema.typeName).toBe("meadow.v1.Tally");
    expect(twice.attribute("score.count")?.type.schema.typeName).toBe("meadow.v1.Score");
  });
});

const purse = create(PurseSchema, {
  gold: 5n,
  notes: "the key is under the stone",
  steps: 9n,
  luck: 0.75,
});
const type = (name: string) => {
  const found = testTypes.byName(name);
  if (!found) throw new Error(name);
  return found;
};

describe("encoded forms", () => {
  it("[PY-14] never hold a field that the class does not see", () => {
    const cell = createCell(type(PurseSchema.typeName), purse, 1);
    expect(encodeFor(cell, VIEWER_NEAR)).toBeUndefined();
    expect(encodeFor(cell, VIEWER_PARTY)).toBeUndefined();
    const owner = anyUnpack(
      fromBinary(AnySchema, encodeFor(cell, VIEWER_OWNER) ?? new Uint8Array()),
      PurseSchema,
    );
    expect(owner).toEqual(create(PurseSchema, { ...purse, luck: 0 }));
    expect(cell.message, "the message itself stays whole").toEqual(purse);
  });

  it("[PY-14] never hold unknown fields of a filtered message", () => {
    const secret = { ...purse, $unknown: [{ no: 99, wireType: 2, data: Uint8Array.of(1, 7) }] };
    const bytes = encodeFor(createCell(type(PurseSchema.typeName), secret, 1), VIEWER_OWNER);
    expect(
      anyUnpack(fromBinary(AnySchema, bytes ?? new Uint8Array()), PurseSchema)?.$unknown,
    ).toBeUndefined();
  });

  it("are made once, and anew only for classes that see the change", () => {
    const cell = createCell(type(PurseSchema.typeName), purse, 1);
    const before = encodeFor(cell, VIEWER_OWNER);
    expect(encodeFor(cell, VIEWER_OWNER)).toBe(before);
    const attribute = (name: string) =>
      cell.type.attributes.filter(({ field }) => field.name === name);
    expect(touch(cell, attribute("luck"), 2)).toBe(true);
    expect(cell.changedTicks).toEqual([1, 1, 1]);
    expect(encodeFor(cell, VIEWER_OWNER)).toBe(before);
    expect(touch(cell, attribute("gold"), 3)).toBe(true);
    expect(cell.changedTicks).toEqual([1, 1, 3]);
    expect(encodeFor(cell, VIEWER_OWNER)).not.toBe(before);
  });

  it("for everybody hold everything that is for everybody", () => {
    const creature = create(CreatureSchema, { health: 1, maxHealth: 2, mood: "calm" });
    const cell = createCell(type(CreatureSchema.typeName), creature, 1);
    for (const viewer of VIEWER_CLASSES) {
      const bytes = encodeFor(cell, viewer) ?? new Uint8Array();
      expect(anyUnpack(fromBinary(AnySchema, bytes), CreatureSchema)).toEqual(creature);
    }
  });

  it("for the store hold what persists, hidden or not", () => {
    const stored = packPersistent(createCell(type(PurseSchema.typeName), purse, 1));
    expect(stored && anyUnpack(stored, PurseSchema)).toEqual(purse);
    expect(
      packPersistent(createCell(type("realmwire.v1.Presence"), create(CounterSchema), 1)),
    ).toBeUndefined();
  });
});
