import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  message as messageOption,
  oneof as oneofOption,
} from "../../gen/ts/buf/validate/validate_pb.ts";
import { ErrorReasonSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { attribute as attributeOption } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { attributeInWords } from "./attribute-rule.ts";
import { boundsInWords, boundsOf } from "./bounds.ts";
import { callSections } from "./call-section.ts";
import { cell, linkTo, linkToFile, table } from "./markdown.ts";
import { commentOf, type ReferenceCall } from "./protocol.ts";

/** The page of a proto file. `calls` are those of all files. */
export function filePage(file: DescFile, calls: readonly ReferenceCall[]): string {
  const parts = [
    `# ${file.name}.proto`,
    `Package \`${file.proto.package}\`. [All of the protocol](${linkToFile(file, undefined)})`,
    ...file.services.flatMap((service) => [
      `## ${service.name}`,
      commentOf(service),
      ...callSections(
        file,
        calls.filter(({ method }) => method.parent === service),
      ),
    ]),
    ...section(
      "## Messages",
      file.messages.flatMap((desc) => messageSection(file, desc)),
    ),
    ...section(
      "## Enums",
      file.enums.flatMap((desc) => enumSection(desc)),
    ),
    ...section("## Options", extensionTable(file)),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function section(title: string, parts: readonly string[]): string[] {
  return parts.length === 0 ? [] : [title, ...parts];
}

function messageSection(page: DescFile, desc: DescMessage): string[] {
  const isComponent = desc.fields.some((field) => hasOption(field, attributeOption));
  const head = ["field", "no.", "type", isComponent ? "rule" : "bounds", "meaning"];
  const rows = desc.fields.map((field) => [
    `\`${field.name}\``,
    String(field.number),
    typeText(page, field),
    isComponent ? attributeInWords(field) : boundsInWords(boundsOf(field)),
    cell(commentOf(field)),
  ]);
  return [
    `### ${desc.name}`,
    commentOf(desc),
    ...(rows.length > 0 ? [table(head, rows)] : []),
    ...rulesOf(desc).map((rule) => `- ${rule}`),
  ];
}

/** Rules about several fields at once. */
function rulesOf(desc: DescMessage): string[] {
  const choices = [
    ...desc.oneofs.map((oneof) => ({
      names: oneof.fields.map(({ name }) => name),
      required: getOption(oneof, oneofOption).required,
    })),
    ...getOption(desc, messageOption).oneof.map(({ fields, required }) => ({
      names: fields,
      required,
    })),
  ];
  return [
    ...choices.map(({ names, required }) => {
      const list = names.map((name) => `\`${name}\``).join(", ");
      return `${required ? "Exactly" : "At most"} one of ${list}.`;
    }),
    ...getOption(desc, messageOption).cel.map(({ message }) => `Rule: ${message}.`),
  ];
}

function typeText(page: DescFile, field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `repeated ${valueType(page, field)}`;
    case "map":
      return `map&lt;${scalarName(field.mapKey)}, ${valueType(page, field)}&gt;`;
    default:
      return valueType(page, field);
  }
}

function valueType(page: DescFile, field: DescField): string {
  if (field.message) return linkTo(page, field.message);
  if (field.enum) return linkTo(page, field.enum);
  return scalarName(field.scalar);
}

function scalarName(scalar: ScalarType): string {
  return ScalarType[scalar].toLowerCase();
}

function enumSection(desc: DescEnum): string[] {
  const rows = desc.values.map((value) => [
    `${reasonAnchor(desc, value.name)}\`${value.name}\``,
    String(value.number),
    cell(commentOf(value)),
  ]);
  return [`### ${desc.name}`, commentOf(desc), table(["name", "no.", "meaning"], rows)];
}

/** Calls link to the reasons of their errors. */
function reasonAnchor(desc: DescEnum, name: string): string {
  return desc.typeName === ErrorReasonSchema.typeName ? `<a id="${name.toLowerCase()}"></a>` : "";
}

function extensionTable(file: DescFile): string[] {
  if (file.extensions.length === 0) return [];
  const rows = file.extensions.map((extension) => [
    `\`${extension.typeName}\``,
    String(extension.number),
    linkTo(file, extension.extendee),
    valueType(file, extension as unknown as DescField),
    cell(commentOf(extension)),
  ]);
  return [table(["option", "no.", "of", "type", "meaning"], rows)];
}
