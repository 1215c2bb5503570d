import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import fc from "fast-check";

/** How deep messages stand in each other, at most. */
const MAX_DEPTH = 3;
const MAX_ITEMS = 3;

/** Texts that mean something somewhere, besides those that mean nothing. */
const texts = fc.oneof(
  fc.constantFrom("ada", "builder", "town", "well", "gold", "purse.gold", "*", "../../x", "\0"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 2_000 }),
);
const int32 = fc.integer();
const uint32 = fc.oneof(fc.nat(40), fc.nat({ max: 0xffff_ffff }));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Values of each kind, those at the edges among them. */
const scalars: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: texts,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 60 }),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.DOUBLE]: fc.double(),
  [ScalarType.FLOAT]: fc.float(),
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

/** Messages of a type with any values in any of their fields: Protobuf that is well-formed, whatever it means. */
export function randomMessages(desc: DescMessage, depth = MAX_DEPTH): fc.Arbitrary<Message> {
  const fields = desc.fields.filter((field) => depth > 1 || field.message === undefined);
  const arbitraries = fields.map((field) => fc.option(contentOf(field, depth), { freq: 3 }));
  return fc.tuple(...arbitraries).map((contents) => {
    const message = create(desc);
    const target = reflect(desc, message);
    for (const [i, field] of fields.entries()) {
      const content = contents[i];
      if (content === null || content === undefined) continue;
      if (field.fieldKind === "list") {
        for (const item of content as unknown[]) target.get(field).add(item);
      } else if (field.fieldKind === "map") {
        for (const [key, value] of content as [string, unknown][])
          target.get(field).set(key, value);
      } else {
        target.set(field, content);
      }
    }
    return message;
  });
}

function contentOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "list":
      return fc.array(itemOf(field, depth), { maxLength: MAX_ITEMS });
    case "map": {
      const key = scalars[field.mapKey];
      return fc.array(fc.tuple(key, itemOf(field, depth)), { maxLength: MAX_ITEMS });
    }
    default:
      return itemOf(field, depth);
  }
}

function itemOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) {
    const desc = field.message;
    return randomMessages(desc, depth - 1).map((message) => reflect(desc, message));
  }
  if (field.enum !== undefined) return fc.constantFrom(...field.enum.values.map((v) => v.number));
  return scalars[field.scalar as ScalarType];
}
