import type { DescFile } from "@bufbuild/protobuf";
import type { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { file_realmwire_v1_error } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { callersInWords, kindInWords } from "./call-section.ts";
import { CALLS_WITH_LOGIN, EVERY_CALL, reasonName } from "./errors.ts";
import { anchorOf, pageOf, table } from "./markdown.ts";
import { commentOf, type Protocol, type ReferenceCall } from "./protocol.ts";

const HEAD = `# The protocol

Generated from the protos by \`npm run generate\`; \`npm run check\` compares. Edit the protos instead.

- The pages below have every call, message and enum, with all bounds.
- [openapi.json](openapi.json) describes the unary calls as JSON over HTTP, in OpenAPI 3.1, for tools that read that.
- [Who may do what](../access.md) has the access rules of all calls and attributes side by side.
- A running server tells its protos too, by gRPC reflection.`;

/** The page that lists all calls and all files. */
export function indexPage({ files, calls }: Protocol): string {
  const errors = pageOf(file_realmwire_v1_error);
  const failures = `## What every call may fail with

${names(EVERY_CALL)}; calls that need a login also ${names(CALLS_WITH_LOGIN)},
and those for builders and admins ROLE_TOO_LOW. [${errors}](${errors}) says what each of them is; it travels as an
\`ErrorDetail\` in the error's details. A call's own errors stand with it.`;
  const tables = files.flatMap((file) => serviceTables(file, calls));
  return `${[HEAD, "## Calls", ...tables, failures, fileTable(files)].join("\n\n")}\n`;
}

function names(reasons: readonly ErrorReason[]): string {
  return reasons.map(reasonName).join(", ");
}

function serviceTables(file: DescFile, calls: readonly ReferenceCall[]): string[] {
  return file.services.map((service) => {
    const rows = calls
      .filter(({ method }) => method.parent === service)
      .map((call) => {
        const { method } = call;
        const anchor = anchorOf(`${service.name}.${method.name}`);
        const text = commentOf(method).split(/(?<=\.)\s/, 1)[0] ?? "";
        const link = `[${method.name}](${pageOf(file)}#${anchor})`;
        return [link, callersInWords(call), kindInWords(call), text];
      });
    const head = `**[${service.typeName}](${pageOf(file)})** – ${commentOf(service)}`;
    return `${head}\n\n${table(["call", "for", "kind", "what it does"], rows)}`;
  });
}

function fileTable(files: readonly DescFile[]): string {
  const rows = files.map((file) => [
    `[${file.name}.proto](${pageOf(file)})`,
    [...file.services, ...file.messages, ...file.enums].map(({ name }) => name).join(", "),
  ]);
  return `## Files\n\n${table(["file", "what is in it"], rows)}`;
}
