import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ValueSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { createUnpack } from "./components.ts";
import { fromValue, toValue } from "./value.ts";
import type { ValueInput } from "./value.ts";

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double().filter((number) => !Object.is(number, -0)),
  fc.integer(),
  fc.bigInt({ min: 2n ** 53n, max: INT64.max }),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array(),
  fc.record({ x: finite, y: finite, z: finite }),
);

test("every plain value comes back from its wire form as it was", () => {
  fc.assert(
    fc.property(fc.oneof(scalar, fc.array(scalar)), (input) => {
      const bytes = toBinary(ValueSchema, toValue(input));
      expect(fromValue(fromBinary(ValueSchema, bytes))).toEqual(input);
    }),
  );
});

test("every int64 keeps its value, as a number where a number can hold it", () => {
  fc.assert(
    fc.property(fc.bigInt(INT64), (input) => {
      const back = fromValue(toValue(input));
      expect(typeof back).toBe(Number.isSafeInteger(Number(input)) ? "number" : "bigint");
      expect(BigInt(back as number | bigint)).toBe(input);
    }),
  );
});

test("numbers choose their kind", () => {
  expect(toValue(3).kind).toEqual({ case: "intValue", value: 3n });
  expect(toValue(3n).kind).toEqual({ case: "intValue", value: 3n });
  expect(toValue(3.5).kind).toEqual({ case: "doubleValue", value: 3.5 });
  expect(toValue(1e300).kind).toEqual({ case: "doubleValue", value: 1e300 });
  expect(toValue({ x: 1, y: 2 }).kind).toMatchObject({
    case: "vectorValue",
    value: { x: 1, y: 2, z: 0 },
  });
});

test("messages are packed and unpacked", () => {
  const any = anyPack(BodySchema, create(BodySchema, { visual: "hen" }));
  expect(fromValue(toValue(any))).toEqual(any);
  expect(fromValue(toValue(any), createUnpack([]))).toMatchObject({ visual: "hen" });
});

test.each([
  [2n ** 63n, RangeError],
  [[[1]], TypeError],
  [{ a: 1 } as unknown as ValueInput, TypeError],
  [(() => {}) as unknown as ValueInput, TypeError],
])("%o is refused", (input, error) => {
  expect(() => toValue(input)).toThrow(error);
});
