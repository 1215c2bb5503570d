import { create, isMessage } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { ValueSchema, VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";

/** Bounds of `Value.int_value`, a signed integer of 64 bits. */
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A place, an offset or a direction, in tiles. Without `z` it lies on the ground. */
export interface PointInit {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
}

/** A place, an offset or a direction, in tiles. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** What an attribute can be given as. */
export type ValueInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PointInit
  | Any
  | readonly ValueInput[];

/** What an attribute is read as: whole numbers beyond 2^53 as bigint, all others as number. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Point
  | Message
  | PlainValue[];

/**
 * Makes a `Value` of a plain value: a whole number becomes an `int_value`, any other a `double_value`,
 * null a value without a kind. Throws a RangeError for a bigint of more than 64 bits and a TypeError for
 * anything that an attribute cannot be, such as a list in a list.
 */
export function toValue(input: ValueInput): Value {
  return create(ValueSchema, { kind: toKind(input) });
}

function toKind(input: ValueInput): Value["kind"] {
  switch (typeof input) {
    case "boolean":
      return { case: "boolValue", value: input };
    case "number":
      return Number.isSafeInteger(input)
        ? { case: "intValue", value: BigInt(input) }
        : { case: "doubleValue", value: input };
    case "bigint":
      if (input < INT64_MIN || input > INT64_MAX)
        throw new RangeError(`${input} has more than 64 bits`);
      return { case: "intValue", value: input };
    case "string":
      return { case: "stringValue", value: input };
    case "object":
      return objectToKind(input);
    default:
      throw new TypeError(`an attribute cannot be a ${typeof input}`);
  }
}

function objectToKind(input: ValueInput & (object | null)): Value["kind"] {
  if (input === null) return { case: undefined };
  if (input instanceof Uint8Array) return { case: "bytesValue", value: input };
  if (isList(input)) {
    if (input.some(Array.isArray)) throw new TypeError("a list cannot hold a list");
    return {
      case: "listValue",
      value: { $typeName: "realmwire.v1.ListValue", values: input.map(toValue) },
    };
  }
  if (isMessage(input, AnySchema)) return { case: "messageValue", value: input };
  if ("x" in input && typeof input.x === "number" && typeof input.y === "number") {
    return {
      case: "vectorValue",
      value: create(VectorSchema, { x: input.x, y: input.y, z: input.z ?? 0 }),
    };
  }
  throw new TypeError("an object that is no place and no message cannot be an attribute");
}

// Array.isArray alone does not narrow a readonly array away.
function isList(input: object): input is readonly ValueInput[] {
  return Array.isArray(input);
}

/** Makes a plain value of a `Value`. `unpack` may decode values that are messages; without it they stay an `Any`. */
export function fromValue(value: Value, unpack: (any: Any) => Message = (any) => any): PlainValue {
  const { kind } = value;
  switch (kind.case) {
    case undefined:
      return null;
    case "intValue": {
      const number = Number(kind.value);
      return Number.isSafeInteger(number) ? number : kind.value;
    }
    case "vectorValue":
      return { x: kind.value.x, y: kind.value.y, z: kind.value.z };
    case "listValue":
      return kind.value.values.map((item) => fromValue(item, unpack));
    case "messageValue":
      return unpack(kind.value);
    default:
      return kind.value;
  }
}
