import { isMessage, ScalarType, toJson } from "@bufbuild/protobuf";
import type { DescEnum, DescField, Message } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { PlainValue, ValueInput } from "../../ts/index.ts";
import { UsageError } from "../errors.ts";

const WHOLE = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const TRUE: ReadonlySet<string> = new Set(["true", "yes", "on"]);
const FALSE: ReadonlySet<string> = new Set(["false", "no", "off"]);
/** Digits that a 32-bit fraction has for sure; what follows is noise. */
const FLOAT_DIGITS = 7;

const WHOLE_TYPES: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
  ScalarType.SINT32,
  ScalarType.SINT64,
]);

/**
 * Reads a value as people write it, by the type of its attribute: `7`, `0.5`, `yes`, `happy`, `24 22` for places, `lit, open` for lists, `0x00ff` for bytes.
 * Without a type it goes by the looks. Throws a UsageError that names the attribute and what it takes.
 */
export function parseValue(text: string, field: DescField | undefined): ValueInput {
  if (field === undefined) return parseByLooks(text);
  switch (field.fieldKind) {
    case "scalar":
      return parseScalar(text, field.scalar, field.name);
    case "enum":
      return parseEnum(text, field.enum, field.name);
    case "list":
      return parseList(text, field);
    case "message":
      if (field.message.typeName === "realmwire.v1.Vector") return parsePlace(text, field.name);
      break;
    case "map":
      break;
  }
  throw new UsageError(`${field.name} holds a message, which cannot be written here`);
}

function parseList(text: string, field: DescField & { fieldKind: "list" }): ValueInput {
  const inner = text.replace(/^\[(.*)\]$/su, "$1").trim();
  const items = inner === "" ? [] : inner.split(",").map((item) => item.trim());
  return items.map((item) => {
    if (field.listKind === "scalar") return parseScalar(item, field.scalar, field.name);
    if (field.listKind === "enum") return parseEnum(item, field.enum, field.name);
    throw new UsageError(`${field.name} holds messages, which cannot be written here`);
  });
}

function parseScalar(text: string, type: ScalarType, name: string): ValueInput {
  const wrong = (wanted: string) => new UsageError(`${name} takes ${wanted}, not "${text}"`);
  if (WHOLE_TYPES.has(type)) {
    if (!WHOLE.test(text)) throw wrong("a whole number");
    return BigInt(text.replace(/^\+/, ""));
  }
  switch (type) {
    case ScalarType.BOOL: {
      const lower = text.toLowerCase();
      if (!TRUE.has(lower) && !FALSE.has(lower)) throw wrong("yes or no");
      return TRUE.has(lower);
    }
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      if (!NUMBER.test(text)) throw wrong("a number");
      return Number(text);
    case ScalarType.BYTES:
      if (!/^0x(?:[\da-f]{2})*$/i.test(text)) throw wrong("bytes such as 0x00ff");
      return new Uint8Array(Buffer.from(text.slice(2), "hex"));
    default:
      return text;
  }
}

function parseEnum(text: string, type: DescEnum, name: string): ValueInput {
  const wanted = text.toUpperCase();
  const value = type.values.find(
    (candidate) => candidate.name === wanted || shortName(type, candidate.name) === wanted,
  );
  if (value !== undefined) return value.name;
  if (WHOLE.test(text)) return Number(text);
  const all = type.values.map((candidate) => shortName(type, candidate.name).toLowerCase());
  throw new UsageError(`${name} takes one of ${all.join(", ")}, not "${text}"`);
}

/** Reads a place, `24 22` or `24.5, 22.5`. Whole numbers mean the middle of that tile. */
export function parsePlace(text: string, name = "a place"): { x: number; y: number } {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const [x, y] = parts;
  if (x === undefined || y === undefined || parts.length > 2 || !parts.every(isNumber)) {
    throw new UsageError(`${name} takes two numbers, such as 24 22, not "${text}"`);
  }
  return { x: toCoordinate(x), y: toCoordinate(y) };
}

/** Whether a text is a number. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

function toCoordinate(text: string): number {
  return WHOLE.test(text) ? Number(text) + 0.5 : Number(text);
}

function parseByLooks(text: string): ValueInput {
  if (WHOLE.test(text)) return BigInt(text.replace(/^\+/, ""));
  if (NUMBER.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}

/** A value for people; with the field of its attribute, enums by their names and fractions without noise. */
export function formatValue(value: PlainValue, field?: DescField): string {
  if (value === null) return "nothing";
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((item) => formatValue(item, field)).join(", ");
  if (typeof value === "number") return formatNumber(value, field);
  if (typeof value === "string") return value === "" ? `""` : value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  if (isPlace(value)) return formatPlace(value);
  return JSON.stringify(valueData(value));
}

function formatNumber(value: number, field: DescField | undefined): string {
  const type = field && "enum" in field ? field.enum : undefined;
  const named = type?.values.find((candidate) => candidate.number === value);
  if (type && named) return shortName(type, named.name).toLowerCase();
  const isFloat = field && "scalar" in field && field.scalar === ScalarType.FLOAT;
  return `${isFloat ? Number(value.toPrecision(FLOAT_DIGITS)) : value}`;
}

/** A place for people, in tiles. */
export function formatPlace({ x, y }: { readonly x: number; readonly y: number }): string {
  return `${x.toFixed(1)}, ${y.toFixed(1)}`;
}

/** A value as `--json` prints it: whole numbers beyond 2^53 and bytes as texts. */
export function valueData(value: PlainValue): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(valueData);
  if (isMessage(value)) return messageData(value);
  return value;
}

function messageData(message: Message): unknown {
  if (!isMessage(message, AnySchema)) return { type: message.$typeName };
  return { type: message.typeUrl, value: toJson(AnySchema, { ...message, typeUrl: "" }) };
}

function isPlace(value: object): value is { x: number; y: number; z: number } {
  return "x" in value && "y" in value;
}

/** The name of an enum's value without what all of its names begin with. */
function shortName(type: DescEnum, name: string): string {
  const prefix = type.sharedPrefix?.toUpperCase() ?? "";
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
