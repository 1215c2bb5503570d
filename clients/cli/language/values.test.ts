import type { DescField } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { VectorSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { BodySchema, PresenceSchema } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { formatValue, parsePlace, parseValue, valueData } from "./values.ts";

const field = (name: string): DescField => {
  const found = [...BodySchema.fields, ...PresenceSchema.fields].find((one) => one.name === name);
  if (!found) throw new Error(`there is no field ${name}`);
  return found;
};

test("a value is read by the type of its attribute", () => {
  expect(parseValue("0.5", field("rotation"))).toBe(0.5);
  expect(parseValue("yes", field("physical"))).toBe(true);
  expect(parseValue("OFF", field("physical"))).toBe(false);
  expect(parseValue("7", field("visual"))).toBe("7");
  expect(parseValue("[lit, open]", field("states"))).toEqual(["lit", "open"]);
  expect(parseValue("", field("states"))).toEqual([]);
  expect(parseValue("online", field("online"))).toBe("ONLINE_STATUS_ONLINE");
});

test("a value that does not fit names the attribute and what it takes", () => {
  expect(() => parseValue("fast", field("rotation"))).toThrow(
    'rotation takes a number, not "fast"',
  );
  expect(() => parseValue("maybe", field("physical"))).toThrow("physical takes yes or no");
  expect(() => parseValue("away", field("online"))).toThrow(/online takes one of .*offline/);
});

test("without a type a value is read by its looks", () => {
  const read = (text: string) => parseValue(text, undefined);
  expect([read("7"), read("-0.5"), read("true"), read("lamp")]).toEqual([7n, -0.5, true, "lamp"]);
});

test("whole numbers of a place are the middle of their tile", () => {
  expect(parsePlace("24 22")).toEqual({ x: 24.5, y: 22.5 });
  expect(parsePlace("24.0, 22.25")).toEqual({ x: 24, y: 22.25 });
  for (const text of ["24", "24 x", "1 2 3", ""]) expect(() => parsePlace(text)).toThrow("24 22");
});

test("values are shown to people, and given to programs without loss", () => {
  expect(formatValue(null)).toBe("nothing");
  expect(formatValue("")).toBe('""');
  expect(formatValue(["a", 2n, true])).toBe("a, 2, yes");
  expect(formatValue(Math.fround(0.35), field("radius"))).toBe("0.35");
  expect(formatValue(1, field("online"))).toBe("online");
  expect(formatValue(create(VectorSchema, { x: 1, y: 2.25 }))).toBe("1.0, 2.3");
  expect(formatValue(new Uint8Array([0, 255]))).toBe("0x00ff");
  expect(valueData(2n ** 60n)).toBe(`${2n ** 60n}`);
  expect(valueData(new Uint8Array([1, 2]))).toBe("AQI=");
});
