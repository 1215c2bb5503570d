// A plugin of buf: writes what the API offers, call by call, from the comments and rules in the protos.
import { ScalarType } from "@bufbuild/protobuf";
import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { createEcmaScriptPlugin, getComments, runNodeJs } from "@bufbuild/protoplugin";
import type { Printable, Schema } from "@bufbuild/protoplugin";
import { Role, RoleSchema } from "../gen/ts/realmwire/v1/options_pb.ts";
import { readAccess } from "../server/rpc/access.ts";
import type { AccessTable, MethodAccess } from "../server/rpc/access.ts";

/** What is documented: the public protocol. */
const PACKAGE = "realmwire.v1";

type Described = DescService | DescMethod | DescMessage | DescEnum | DescField;

runNodeJs(
  createEcmaScriptPlugin({ name: "protoc-gen-docs", version: "v1", generateTs: writeDocs }),
);

function writeDocs(schema: Schema): void {
  const files = schema.files.filter(({ proto }) => proto.package === PACKAGE);
  const types = files.flatMap((file) => [...nestedTypes(file)]);
  const services = files.flatMap((file) => file.services);
  const messages = types.filter((type) => type.kind === "message" && !type.proto.options?.mapEntry);
  const enums = types.filter((type) => type.kind === "enum");
  const rules = readAccess(services);
  const page = schema.generateFile("README.md");
  const lines: readonly Printable[] = [
    "# API",
    "",
    "Every call, message and enum of `realmwire.v1`. Generated from the comments in `proto/` by `npm run generate`; `npm run check` fails when it is out of date.",
    "",
    ...services.flatMap(describeContents),
    "",
    ...services.flatMap((service) => describeService(service, rules)),
    ...["## Messages", ""],
    ...byName(messages).flatMap((type) => (type.kind === "message" ? describeMessage(type) : [])),
    ...["## Enums", ""],
    ...byName(enums).flatMap((type) => (type.kind === "enum" ? describeEnum(type) : [])),
  ];
  // One empty line at the end is enough.
  for (const line of lines.slice(0, -1)) page.print(line);
}

function byName<T extends { readonly typeName: string }>(types: readonly T[]): T[] {
  return types.toSorted((a, b) => (a.typeName < b.typeName ? -1 : 1));
}

function describeContents(service: DescService): string[] {
  const calls = service.methods.map(
    ({ name }) => `[${name}](#${anchor(`${service.name}.${name}`)})`,
  );
  return [`- **[${service.name}](#${anchor(service.name)})**: ${calls.join(", ")}`];
}

function describeService(service: DescService, rules: AccessTable): string[] {
  return [
    `## ${service.name}`,
    "",
    commentOf(service),
    "",
    ...service.methods.flatMap((method) => describeCall(method, rules)),
  ];
}

function describeCall(method: DescMethod, rules: AccessTable): string[] {
  const { parent, name, input, output } = method;
  return [
    `### ${parent.name}.${name}`,
    "",
    commentOf(method),
    "",
    `- Takes ${streamed(method, "client")}[${input.name}](#${anchor(nameOf(input))}), answers ${streamed(method, "server")}[${output.name}](#${anchor(nameOf(output))}).`,
    `- ${describeAccess(method, rules.get(method))}`,
    "",
  ];
}

function streamed({ methodKind }: DescMethod, side: "client" | "server"): string {
  return methodKind === `${side}_streaming` || methodKind === "bidi_streaming"
    ? "a stream of "
    : "";
}

function describeAccess(method: DescMethod, rule: MethodAccess | undefined): string {
  if (rule === undefined) throw new Error(`${method.toString()} has no access rule`);
  const { role, perSecond, burst, limitOf, counted } = rule;
  const least = RoleSchema.value[role]?.name ?? "";
  const who = role === Role.ANONYMOUS ? "Needs no login" : `Needs [${least}](#${anchor("Role")})`;
  if (limitOf !== method) return `${who}; counts against the limit of ${limitOf.name}.`;
  const each = counted === undefined ? "" : `; each of \`${counted}\` counts`;
  return `${who}; ${perSecond} a second, ${burst} at once${each}.`;
}

function describeMessage(message: DescMessage): string[] {
  const rows = message.fields.map((field) => {
    const oneOf = field.oneof ? `One of \`${field.oneof.name}\`. ` : "";
    return `| \`${field.name}\` | ${typeOf(field)} | ${cell(oneOf + commentOf(field))} |`;
  });
  const table = rows.length > 0 ? ["| field | type | |", "|---|---|---|", ...rows, ""] : [];
  return [`### ${nameOf(message)}`, "", commentOf(message), "", ...table];
}

function describeEnum(type: DescEnum): string[] {
  const rows = type.values.map(
    (value) =>
      `| \`${value.name}\` | ${value.number} | ${cell(textOf(getComments(value).leading))} |`,
  );
  return [
    ...[`### ${nameOf(type)}`, "", commentOf(type), ""],
    ...["| value | number | |", "|---|---|---|", ...rows, ""],
  ];
}

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "list":
      return `repeated ${field.listKind === "scalar" ? scalar(field.scalar) : link(field.message ?? field.enum)}`;
    case "map": {
      const value =
        field.mapKind === "scalar" ? scalar(field.scalar) : link(field.message ?? field.enum);
      return `map of ${scalar(field.mapKey)} to ${value}`;
    }
    case "scalar":
      return scalar(field.scalar);
    case "message":
    case "enum":
      return link(field.message ?? field.enum);
  }
}

function scalar(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

/** Types of this package are linked, those of others named in full. */
function link(type: DescMessage | DescEnum): string {
  const isOurs = type.file.proto.package === PACKAGE;
  return isOurs ? `[${nameOf(type)}](#${anchor(nameOf(type))})` : `\`${type.typeName}\``;
}

/** The name within the package: `Event.Kind`. */
function nameOf({ typeName }: DescMessage | DescEnum): string {
  return typeName.slice(PACKAGE.length + 1);
}

/** The anchor that GitHub gives a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(".", "");
}

function commentOf(described: Described): string {
  const { leading } = getComments(described);
  if (leading === undefined) throw new Error(`${described.toString()} has no comment`);
  return textOf(leading);
}

function textOf(comment = ""): string {
  return comment.replaceAll(/^ /gm, "").trim();
}

/** A text in a table, where a line break would end the row. */
function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", String.raw`\|`);
}
