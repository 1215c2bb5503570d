import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  message as messageOption,
  oneof as oneofOption,
} from "../../gen/ts/buf/validate/validate_pb.ts";
import { attribute as attributeOption } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { attributeRule } from "./attribute-rule.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { commentOf } from "./protocol.ts";

const INT32 = { type: "integer", format: "int32" };
const UINT32 = { type: "integer", format: "uint32", minimum: 0 };
// Written as texts, so that JavaScript does not lose digits; read as numbers too.
const INT64 = { type: ["string", "integer"], format: "int64", pattern: "^-?[0-9]{1,19}$" };
const UINT64 = {
  ...{ type: ["string", "integer"], format: "uint64", minimum: 0, pattern: "^[0-9]{1,20}$" },
};

const SCALARS: Readonly<Record<ScalarType, JsonObject>> = {
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float" },
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", contentEncoding: "base64" },
};

/** Messages that ProtoJSON writes in a form of their own. */
const WELL_KNOWN: Readonly<Record<string, JsonObject>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.Any": {
    type: "object",
    required: ["@type"],
    properties: {
      "@type": { type: "string", description: "Ends with `/` and the full name of the message." },
    },
    additionalProperties: true,
    description: "A message of any type; its fields stand beside `@type`.",
  },
};

/** A reference to the schema of a message or an enum, or the schema itself where ProtoJSON has a form of its own. */
export function refTo(desc: DescMessage | DescEnum): JsonObject {
  return WELL_KNOWN[desc.typeName] ?? { $ref: `#/components/schemas/${desc.typeName}` };
}

/** The schema of an enum. */
export function enumSchema(desc: DescEnum): JsonObject {
  const values = desc.values.map((value) => `- \`${value.name}\`: ${commentOf(value)}`);
  return {
    type: "string",
    enum: desc.values.map(({ name }) => name),
    description: [commentOf(desc), values.join("\n")].join("\n\n"),
  };
}

/** The schema of a message in ProtoJSON, as the server writes it: fields that have their zero value are left out. */
export function messageSchema(desc: DescMessage): JsonObject {
  const required = desc.fields.filter(isRequired).map(({ jsonName }) => jsonName);
  const choices = choicesOf(desc);
  const cel = getOption(desc, messageOption).cel.map(({ message }) => message);
  return {
    type: "object",
    description: [commentOf(desc), ...cel.map((words) => `Rule: ${words}.`)].join("\n\n"),
    ...(desc.fields.length > 0 && {
      properties: Object.fromEntries(
        desc.fields.map((field) => [field.jsonName, fieldSchema(field)]),
      ),
    }),
    ...(required.length > 0 && { required }),
    ...(choices.length > 0 && { allOf: choices }),
  };
}

function isRequired(field: DescField): boolean {
  const { required, zeroIsFree, minLength = 0, minItems = 0, byteLength } = boundsOf(field);
  if (required) return true;
  // Rules of a choice count when it is made.
  if (field.oneof !== undefined) return false;
  return !zeroIsFree && (minLength > 0 || minItems > 0 || byteLength !== undefined);
}

function fieldSchema(field: DescField): JsonObject {
  const bounds = boundsOf(field);
  const description = [commentOf(field), ...bounds.words.map((words) => `Rule: ${words}.`)];
  return {
    ...shapeOf(field, bounds),
    description: description.join("\n\n"),
    ...(hasOption(field, attributeOption) && { "x-attribute": { ...attributeRule(field) } }),
  };
}

function shapeOf(field: DescField, bounds: Bounds): JsonObject {
  switch (field.fieldKind) {
    case "list":
      return {
        type: "array",
        items: itemSchema(field, bounds.items),
        ...(bounds.minItems !== undefined && { minItems: bounds.minItems }),
        ...(bounds.maxItems !== undefined && { maxItems: bounds.maxItems }),
      };
    case "map":
      return {
        type: "object",
        additionalProperties: itemSchema(field, undefined),
        ...(bounds.maxItems !== undefined && { maxProperties: bounds.maxItems }),
      };
    case "scalar":
      return scalarSchema(field.scalar, bounds);
    case "enum":
      return refTo(field.enum);
    case "message":
      return refTo(field.message);
  }
}

function itemSchema(
  field: DescField & { fieldKind: "list" | "map" },
  bounds: Bounds | undefined,
): JsonObject {
  if (field.message) return refTo(field.message);
  if (field.enum) return refTo(field.enum);
  return scalarSchema(field.scalar, bounds);
}

function scalarSchema(scalar: ScalarType, bounds: Bounds | undefined): JsonObject {
  const schema = { ...SCALARS[scalar], ...(bounds && keywordsOf(bounds)) };
  return bounds?.zeroIsFree ? { anyOf: [{ const: "" }, schema] } : schema;
}

function keywordsOf(bounds: Bounds): JsonObject {
  const { minLength, maxLength, pattern, minimum, maximum, byteLength } = bounds;
  return {
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
    ...(pattern !== undefined && { pattern }),
    ...(bounds.isEmail && { format: "email" }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    // Base64 is read with and without its padding.
    ...(byteLength !== undefined && {
      minLength: Math.ceil((byteLength * 4) / 3),
      maxLength: Math.ceil(byteLength / 3) * 4,
    }),
  };
}

/** Which of several fields may be set together: those of a oneof exclude each other. */
function choicesOf(desc: DescMessage): JsonObject[] {
  const ruled = getOption(desc, messageOption).oneof.map(({ fields, required }) => {
    const names = desc.fields.filter(({ name }) => fields.includes(name));
    return choice(names, required);
  });
  const declared = desc.oneofs
    .filter(({ fields }) => !ruled.some((_, i) => coversAll(desc, i, fields)))
    .map((oneof) => choice(oneof.fields, getOption(oneof, oneofOption).required));
  return [...ruled, ...declared];
}

function coversAll(desc: DescMessage, rule: number, fields: readonly DescField[]): boolean {
  const names = getOption(desc, messageOption).oneof[rule]?.fields ?? [];
  return fields.every(({ name }) => names.includes(name));
}

function choice(fields: readonly DescField[], required: boolean): JsonObject {
  const one = fields.map(({ jsonName }) => ({ required: [jsonName] }));
  return { oneOf: required ? one : [...one, { not: { anyOf: one } }] };
}
