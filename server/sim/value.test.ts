import { create, createRegistry, ScalarType } from "@bufbuild/protobuf";
import type { DescField } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  anyPack,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
  DurationSchema,
} from "@bufbuild/protobuf/wkt";
import { createFileRegistry } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  file_realmwire_v1_value,
  ValueSchema,
  VectorSchema,
} from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import {
  MAX_LIST_ITEMS,
  MAX_VALUE_BYTES,
  ValueError,
  addValue,
  readValue,
  valueProblem,
  writeValue,
} from "./value.ts";

// A message with a field of every type, described at run time.
const SCALARS = Object.entries(ScalarType) as [keyof typeof ScalarType, ScalarType][];
const { OPTIONAL, REPEATED } = { OPTIONAL: 1, REPEATED: 3 } as const;
const file = create(FileDescriptorProtoSchema, {
  name: "sample.proto",
  package: "sample",
  syntax: "proto3",
  dependency: [file_realmwire_v1_value.proto.name],
  enumType: [
    {
      name: "Mood",
      value: [
        { name: "CALM", number: 0 },
        { name: "ANGRY", number: 5 },
      ],
    },
  ],
  messageType: [
    {
      name: "Sample",
      field: [
        ...SCALARS.map(([name, type]) => ({
          name: `f_${name.toLowerCase()}`,
          number: type,
          type: type as number,
          label: OPTIONAL,
        })),
        { name: "mood", number: 101, type: 14, typeName: ".sample.Mood", label: OPTIONAL },
        { name: "place", number: 102, type: 11, typeName: ".realmwire.v1.Vector", label: OPTIONAL },
        { name: "names", number: 103, type: 9, label: REPEATED },
        {
          name: "places",
          number: 104,
          type: 11,
          typeName: ".realmwire.v1.Vector",
          label: REPEATED,
        },
        {
          name: "list",
          number: 105,
          type: 11,
          typeName: ".realmwire.v1.ListValue",
          label: OPTIONAL,
        },
      ].map((field) => create(FieldDescriptorProtoSchema, field as object)),
      options: create(MessageOptionsSchema),
    },
  ],
});
const files = createFileRegistry(file, (name) =>
  name === file_realmwire_v1_value.proto.name ? file_realmwire_v1_value.proto : wkt(name),
);
function wkt(name: string) {
  return file_realmwire_v1_value.dependencies.find(({ proto }) => proto.name === name)?.proto;
}
const Sample = files.getMessage("sample.Sample");
if (!Sample) throw new Error("no Sample");
const registry = createRegistry(...files);
const field = (name: string): DescField => {
  const found = Sample.fields.find((item) => item.name === name);
  if (!found) throw new Error(name);
  return found;
};
const value = (kind: Value["kind"]): Value => create(ValueSchema, { kind });
const int = (n: bigint | number): Value => value({ case: "intValue", value: BigInt(n) });
const real = (n: number): Value => value({ case: "doubleValue", value: n });
const text = (s: string): Value => value({ case: "stringValue", value: s });
const list = (...values: Value[]): Value =>
  value({ case: "listValue", value: { $typeName: "realmwire.v1.ListValue", values } });

function written(name: string, ...values: Value[]): Value {
  const message = reflect(Sample as NonNullable<typeof Sample>);
  for (const item of values) writeValue(message, field(name), item, registry);
  return readValue(message, field(name));
}

function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ValueError) return error.kind;
    throw error;
  }
  return "none";
}

const RANGES: Record<string, [bigint, bigint]> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 63n - 1n],
};
const INTEGERS = {
  int32: RANGES["int32"],
  sint32: RANGES["int32"],
  sfixed32: RANGES["int32"],
  uint32: RANGES["uint32"],
  fixed32: RANGES["uint32"],
  int64: RANGES["int64"],
  sint64: RANGES["int64"],
  sfixed64: RANGES["int64"],
  uint64: RANGES["uint64"],
  fixed64: RANGES["uint64"],
} as Record<string, [bigint, bigint]>;

describe("[PY-8] [PY-9] values of scalar fields", () => {
  it.each(Object.entries(INTEGERS))(
    "%s: takes its whole range and nothing beyond",
    (name, [least, most]) => {
      for (const n of [least, most, 0n, 1n]) expect(written(`f_${name}`, int(n))).toEqual(int(n));
      expect(written(`f_${name}`, real(12))).toEqual(int(12));
      for (const n of [least - 1n, most + 1n].filter((n) => n >= -(2n ** 63n) && n < 2n ** 63n)) {
        expect(
          failure(() => written(`f_${name}`, int(n))),
          `${n}`,
        ).toBe("range");
      }
      for (const wrong of [
        real(1.5),
        real(2 ** 60),
        text("1"),
        value({ case: "boolValue", value: true }),
      ]) {
        expect(failure(() => written(`f_${name}`, wrong))).toBe("type");
      }
    },
  );

  it.each(Object.entries(INTEGERS))(
    "%s: an addition that leaves the range is refused and changes nothing",
    (name, [least, most]) => {
      const message = reflect(Sample);
      writeValue(message, field(`f_${name}`), int(most - 2n), registry);
      addValue(message, field(`f_${name}`), int(1));
      expect(failure(() => addValue(message, field(`f_${name}`), int(2)))).toBe("range");
      expect(readValue(message, field(`f_${name}`))).toEqual(int(most - 1n));
      writeValue(message, field(`f_${name}`), int(least), registry);
      expect(failure(() => addValue(message, field(`f_${name}`), int(-1)))).toBe("range");
      expect(readValue(message, field(`f_${name}`))).toEqual(int(least));
    },
  );

  it("float and double: round as they are stored, and are always finite", () => {
    expect(written("f_double", real(0.1))).toEqual(real(0.1));
    expect(written("f_float", real(0.1))).toEqual(real(Math.fround(0.1)));
    expect(written("f_double", int(3))).toEqual(real(3));
    for (const n of [Number.NaN, Infinity])
      expect(failure(() => written("f_double", real(n)))).toBe("range");
    expect(failure(() => written("f_float", real(1e39)))).toBe("range");
    const message = reflect(Sample);
    writeValue(message, field("f_double"), real(Number.MAX_VALUE), registry);
    expect(failure(() => addValue(message, field("f_double"), real(Number.MAX_VALUE)))).toBe(
      "range",
    );
    expect(readValue(message, field("f_double"))).toEqual(real(Number.MAX_VALUE));
  });

  it("bool, string and bytes: take their own type, of bounded size, and nothing can be added", () => {
    const own = {
      bool: value({ case: "boolValue", value: true }),
      string: text("ü🐔"),
      bytes: value({ case: "bytesValue", value: Uint8Array.of(0, 255) }),
    };
    for (const [name, mine] of Object.entries(own)) {
      expect(written(`f_${name}`, mine)).toEqual(mine);
      for (const other of [int(1), ...Object.values(own).filter((item) => item !== mine)]) {
        expect(failure(() => written(`f_${name}`, other))).toBe("type");
      }
      expect(failure(() => addValue(reflect(Sample), field(`f_${name}`), int(1)))).toBe("type");
    }
    const edge = "ü".repeat(MAX_VALUE_BYTES / 2);
    expect(written("f_string", text(edge))).toEqual(text(edge));
    expect(failure(() => written("f_string", text(`${edge}x`)))).toBe("range");
    expect(failure(() => written("f_string", text("half a \ud83d chicken")))).toBe("type");
    expect(
      failure(() =>
        written(
          "f_bytes",
          value({ case: "bytesValue", value: new Uint8Array(MAX_VALUE_BYTES + 1) }),
        ),
      ),
    ).toBe("range");
  });

  it("no value takes the field back to its default", () => {
    expect(written("f_int32", int(5), create(ValueSchema))).toEqual(int(0));
    expect(
      written(
        "place",
        value({ case: "vectorValue", value: create(VectorSchema, { x: 1 }) }),
        create(ValueSchema),
      ),
    ).toEqual(create(ValueSchema));
  });
});

describe("[PY-8] values of other fields", () => {
  it("enums: by number or by name", () => {
    expect(written("mood", int(5))).toEqual(int(5));
    expect(written("mood", text("ANGRY"))).toEqual(int(5));
    for (const wrong of [int(4), text("angry"), real(5)])
      expect(failure(() => written("mood", wrong))).toBe("type");
  });

  it("messages: vectors as such, others packed, and only of the field's type", () => {
    const vector = value({ case: "vectorValue", value: create(VectorSchema, { x: 1, y: -2 }) });
    expect(written("place", vector)).toEqual(vector);
    const packed = value({
      case: "messageValue",
      value: anyPack(VectorSchema, create(VectorSchema, { x: 1, y: -2 })),
    });
    expect(written("place", packed)).toEqual(vector);
    const other = value({
      case: "messageValue",
      value: anyPack(DurationSchema, create(DurationSchema)),
    });
    for (const wrong of [int(1), other])
      expect(failure(() => written("place", wrong))).toBe("type");
    const listField = readValue(reflect(Sample), field("list"));
    expect(listField.kind.case).toBeUndefined();
    expect(failure(() => written("list", vector))).toBe("type");
  });

  it("lists: whole, of one type, of bounded length, and unchanged when an item is wrong", () => {
    expect(written("names", list(text("a"), text("b")))).toEqual(list(text("a"), text("b")));
    const places = list(value({ case: "vectorValue", value: create(VectorSchema, { z: 3 }) }));
    expect(written("places", places)).toEqual(places);
    const message = reflect(Sample);
    writeValue(message, field("names"), list(text("kept")), registry);
    expect(
      failure(() => writeValue(message, field("names"), list(text("a"), int(1)), registry)),
    ).toBe("type");
    expect(failure(() => writeValue(message, field("names"), text("a"), registry))).toBe("type");
    const long = list(...Array.from({ length: MAX_LIST_ITEMS + 1 }, () => text("")));
    expect(failure(() => writeValue(message, field("names"), long, registry))).toBe("range");
    expect(failure(() => addValue(message, field("names"), list(text("b"))))).toBe("type");
    expect(readValue(message, field("names"))).toEqual(list(text("kept")));
  });

  it("says why a field cannot take a value", () => {
    expect(valueProblem(Sample, field("f_int32"), text("x"))).toMatch(/int_value/);
    expect(valueProblem(Sample, field("place"), int(1))).toMatch(/Vector/);
    expect(valueProblem(Sample, field("f_int32"), int(1))).toBeUndefined();
  });
});
