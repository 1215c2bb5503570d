import {
  create,
  createFileRegistry,
  type DescMessage,
  type Message,
  setExtension,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import {
  attribute,
  AttributeSchema,
  file_realmwire_v1_options,
  type Visibility,
  VisibilitySchema,
  type Writer,
  WriterSchema,
} from "../../gen/ts/realmwire/v1/options_pb.ts";

/** The types that fields of the probe take in turn, each with a value. */
const TYPES = [
  { type: Type.STRING, value: "probe" },
  { type: Type.INT64, value: 7n },
  { type: Type.DOUBLE, value: 0.25 },
  { type: Type.BOOL, value: true },
  { type: Type.STRING, label: Label.REPEATED, value: "probes" },
] as const;

/** A component with a field for each way in which an attribute can be visible, written and stored; one with a new visibility or writer comes by itself. */
export const ProbeSchema: DescMessage = createProbeSchema();

/** A probe with every field set. */
export function filledProbe(): Message {
  const message = create(ProbeSchema);
  const fields = reflect(ProbeSchema, message);
  ProbeSchema.fields.forEach((field, i) => {
    const { value } = typeAt(i);
    if (field.fieldKind === "list") fields.get(field).add(value);
    else fields.set(field, value);
  });
  return message;
}

function createProbeSchema(): DescMessage {
  const rules = VisibilitySchema.values.flatMap((visible) =>
    WriterSchema.values.flatMap((write) =>
      [true, false].map((persist) => ({ visible, write, persist })),
    ),
  );
  const file = create(FileDescriptorProtoSchema, {
    name: "test/probe.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["realmwire/v1/options.proto"],
    messageType: [
      {
        name: "Probe",
        field: rules.map(({ visible, write, persist }, i) => {
          const options = create(FieldOptionsSchema);
          setExtension(
            options,
            attribute,
            create(AttributeSchema, {
              visible: visible.number as Visibility,
              write: write.number as Writer,
              persist,
            }),
          );
          const name = [visible.localName, write.localName, persist ? "stored" : "fleeting"];
          return create(FieldDescriptorProtoSchema, {
            name: name.join("_").toLowerCase(),
            number: i + 1,
            label: Label.OPTIONAL,
            options,
            ...typeAt(i),
          });
        }),
      },
    ],
  });
  const known = [file_realmwire_v1_options, ...file_realmwire_v1_options.dependencies];
  const registry = createFileRegistry(file, (name) =>
    known.find((candidate) => candidate.proto.name === name),
  );
  const schema = registry.getMessage("test.Probe");
  if (schema === undefined) throw new Error("the probe is missing");
  return schema;
}

function typeAt(i: number): {
  type: Type;
  label?: Label;
  value: string | bigint | number | boolean;
} {
  return TYPES[i % TYPES.length] ?? TYPES[0];
}
