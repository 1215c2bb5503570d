import { create, createRegistry, isMessage, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { ListValueSchema, ValueSchema, VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";

/** Items that the value of a repeated field may hold. */
export const MAX_LIST_ITEMS = 1024;
/** Bytes that one value may hold when serialized as text or bytes. */
export const MAX_VALUE_BYTES = 65_536;

/** A value that a field cannot take; the message says why, for people. */
export class ValueError extends Error {
  readonly kind: "type" | "range";

  constructor(kind: "type" | "range", message: string) {
    super(message);
    this.name = "ValueError";
    this.kind = kind;
  }
}

const encoder = new TextEncoder();

type Plain = boolean | number | bigint | string | Uint8Array;

/** The value of a field of a message. Fields that maps declare are not attributes and have none. */
export function readValue(message: ReflectMessage, field: DescField): Value {
  switch (field.fieldKind) {
    case "scalar":
      return scalarValue(field.scalar, message.get(field));
    case "enum":
      return create(ValueSchema, { kind: { case: "intValue", value: BigInt(message.get(field)) } });
    case "message":
      return message.isSet(field) ? messageValue(message.get(field)) : create(ValueSchema);
    case "list": {
      const values: Value[] = [];
      for (const item of message.get(field)) {
        if (field.listKind === "scalar") values.push(scalarValue(field.scalar, item as Plain));
        else if (field.listKind === "enum")
          values.push(scalarValue(ScalarType.INT32, item as number));
        else values.push(messageValue(item as ReflectMessage));
      }
      const list = create(ListValueSchema, { values });
      return create(ValueSchema, { kind: { case: "listValue", value: list } });
    }
    case "map":
      return create(ValueSchema);
  }
}

/** Puts a value into a field. Throws {@link ValueError}, and then nothing is changed. */
export function writeValue(
  message: ReflectMessage,
  field: DescField,
  value: Value,
  registry: Registry,
): void {
  if (value.kind.case === undefined) {
    message.clear(field);
    return;
  }
  switch (field.fieldKind) {
    case "scalar":
      message.set(field, toScalar(field.scalar, value));
      return;
    case "enum":
      message.set(field, toEnum(field, value));
      return;
    case "message":
      message.set(field, toMessage(field.message.typeName, value, registry));
      return;
    case "list":
      writeList(message, field, value, registry);
      return;
    case "map":
      throw new ValueError("type", "a map cannot be set");
  }
}

/** Why a field of a message cannot take a value; undefined when it can. */
export function valueProblem(
  schema: DescMessage,
  field: DescField,
  value: Value,
): string | undefined {
  const registry = createRegistry(...(field.message ? [field.message] : []));
  try {
    writeValue(reflect(schema), field, value, registry);
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return error.message;
    throw error;
  }
}

/** Adds a number to a number field. Throws {@link ValueError}, and then nothing is changed. */
export function addValue(message: ReflectMessage, field: DescField, add: Value): void {
  if (field.fieldKind !== "scalar") throw new ValueError("type", "only a number can be added to");
  const present = message.get(field);
  if (typeof present === "bigint" || isInteger(field.scalar)) {
    const delta = toInteger(add);
    const sum = BigInt(present as bigint | number) + delta;
    message.set(field, toScalar(field.scalar, integerValue(sum)));
  } else if (typeof present === "number") {
    const sum = present + toReal(add);
    message.set(field, toScalar(field.scalar, realValue(sum)));
  } else {
    throw new ValueError("type", "only a number can be added to");
  }
}

function integerValue(value: bigint): Value {
  if (value < -(2n ** 63n) || value >= 2n ** 63n) {
    throw new ValueError("range", `${value} does not fit into 64 bits`);
  }
  return create(ValueSchema, { kind: { case: "intValue", value } });
}

function realValue(value: number): Value {
  return create(ValueSchema, { kind: { case: "doubleValue", value } });
}

function scalarValue(type: ScalarType, value: Plain): Value {
  if (typeof value === "boolean") {
    return create(ValueSchema, { kind: { case: "boolValue", value } });
  }
  if (typeof value === "string") {
    return create(ValueSchema, { kind: { case: "stringValue", value } });
  }
  if (value instanceof Uint8Array) {
    return create(ValueSchema, { kind: { case: "bytesValue", value } });
  }
  if (isInteger(type)) return integerValue(BigInt.asIntN(64, BigInt(value)));
  return realValue(Number(value));
}

function messageValue({ desc, message }: ReflectMessage): Value {
  if (isMessage(message, VectorSchema)) {
    return create(ValueSchema, { kind: { case: "vectorValue", value: message } });
  }
  const packed = anyPack(desc, message);
  return create(ValueSchema, { kind: { case: "messageValue", value: packed } });
}

function isInteger(type: ScalarType): boolean {
  return INTEGER_RANGES.has(type);
}

const INTEGER_RANGES: ReadonlyMap<ScalarType, readonly [bigint, bigint]> = new Map([
  [ScalarType.INT32, [-(2n ** 31n), 2n ** 31n - 1n]],
  [ScalarType.SINT32, [-(2n ** 31n), 2n ** 31n - 1n]],
  [ScalarType.SFIXED32, [-(2n ** 31n), 2n ** 31n - 1n]],
  [ScalarType.UINT32, [0n, 2n ** 32n - 1n]],
  [ScalarType.FIXED32, [0n, 2n ** 32n - 1n]],
  [ScalarType.INT64, [-(2n ** 63n), 2n ** 63n - 1n]],
  [ScalarType.SINT64, [-(2n ** 63n), 2n ** 63n - 1n]],
  [ScalarType.SFIXED64, [-(2n ** 63n), 2n ** 63n - 1n]],
  [ScalarType.UINT64, [0n, 2n ** 63n - 1n]],
  [ScalarType.FIXED64, [0n, 2n ** 63n - 1n]],
]);

const SMALL_INTEGERS: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.SINT32,
  ScalarType.SFIXED32,
  ScalarType.UINT32,
  ScalarType.FIXED32,
]);

function toScalar(type: ScalarType, value: Value): Plain {
  if (type === ScalarType.BOOL) {
    if (value.kind.case !== "boolValue") throw wrongType("bool_value", value);
    return value.kind.value;
  }
  if (type === ScalarType.STRING) {
    if (value.kind.case !== "stringValue") throw wrongType("string_value", value);
    return withinSize(value.kind.value);
  }
  if (type === ScalarType.BYTES) {
    if (value.kind.case !== "bytesValue") throw wrongType("bytes_value", value);
    return withinSize(value.kind.value);
  }
  const range = INTEGER_RANGES.get(type);
  if (range !== undefined) {
    const integer = toInteger(value);
    if (integer < range[0] || integer > range[1]) {
      throw new ValueError("range", `${integer} is not from ${range[0]} to ${range[1]}`);
    }
    return SMALL_INTEGERS.has(type) ? Number(integer) : integer;
  }
  const real = toReal(value);
  const stored = type === ScalarType.FLOAT ? Math.fround(real) : real;
  if (!Number.isFinite(stored))
    throw new ValueError("range", `${real} is too large or not a number`);
  return stored;
}

function withinSize<T extends string | Uint8Array>(value: T): T {
  const bytes = typeof value === "string" ? encodeText(value) : value;
  if (bytes.length > MAX_VALUE_BYTES) {
    throw new ValueError("range", `longer than ${MAX_VALUE_BYTES} bytes`);
  }
  return value;
}

function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new ValueError("type", "is not well-formed Unicode");
  return encoder.encode(text);
}

function toInteger(value: Value): bigint {
  if (value.kind.case === "intValue") return value.kind.value;
  if (value.kind.case === "doubleValue" && Number.isSafeInteger(value.kind.value)) {
    return BigInt(value.kind.value);
  }
  throw wrongType("int_value", value);
}

function toReal(value: Value): number {
  if (value.kind.case === "doubleValue") return value.kind.value;
  if (value.kind.case === "intValue") return Number(value.kind.value);
  throw wrongType("double_value", value);
}

function toEnum(field: DescField & { fieldKind: "enum" }, value: Value): number {
  const { kind } = value;
  const known =
    kind.case === "stringValue"
      ? field.enum.values.find((item) => item.name === kind.value)
      : kind.case === "intValue"
        ? field.enum.value[Number(kind.value)]
        : undefined;
  if (known !== undefined) return known.number;
  const names = field.enum.values.map((item) => item.name).join(", ");
  throw new ValueError("type", `needs the number or the name of one of ${names}`);
}

function toMessage(typeName: string, value: Value, registry: Registry): ReflectMessage {
  const { kind } = value;
  if (kind.case === "vectorValue" && typeName === VectorSchema.typeName) {
    return reflect(VectorSchema, kind.value);
  }
  if (kind.case === "messageValue") {
    const message = anyUnpack(kind.value, registry);
    const schema = message && registry.getMessage(message.$typeName);
    if (message && schema && message.$typeName === typeName) return reflect(schema, message);
  }
  throw new ValueError("type", `needs a ${typeName}`);
}

function writeList(
  message: ReflectMessage,
  field: DescField & { fieldKind: "list" },
  value: Value,
  registry: Registry,
): void {
  if (value.kind.case !== "listValue") throw wrongType("list_value", value);
  const { values } = value.kind.value;
  if (values.length > MAX_LIST_ITEMS) {
    throw new ValueError("range", `more than ${MAX_LIST_ITEMS} items`);
  }
  const items = values.map((item) => {
    if (field.listKind === "scalar") return toScalar(field.scalar, item);
    if (field.listKind === "message") return toMessage(field.message.typeName, item, registry);
    throw new ValueError("type", "a list of enum values cannot be set");
  });
  message.clear(field);
  const list = message.get(field);
  for (const item of items) list.add(item);
}

function wrongType(needed: string, value: Value): ValueError {
  return new ValueError("type", `needs ${needed}, not ${value.kind.case ?? "nothing"}`);
}
