import type { DescEnum, DescFile, DescMessage, DescService, JsonObject } from "@bufbuild/protobuf";
import { usedTypes } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import type { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { ErrorDetailSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role, RoleSchema } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { MAX_REQUEST_BYTES } from "../../server/rpc/transport/call-bounds.ts";
import { codeOf } from "../../server/rpc/pipeline/error-mapping.ts";
import { componentsOf } from "../generated-files.ts";
import { callText, errorsOf, reasonName } from "./errors.ts";
import { enumSchema, messageSchema, refTo } from "./json-schema.ts";
import { commentOf, type Protocol, type ReferenceCall } from "./protocol.ts";
import { requestExample } from "./request-example.ts";

const ERROR_SCHEMA = "connect.error";
const INTRODUCTION = `The calls of a Realmwire server that have one request and one answer, as JSON over HTTP: the unary calls of the
Connect protocol. The other calls are streams, for which a Connect, gRPC or gRPC-Web client is needed; the protocol
reference has all of them.

Field names are read in camelCase and as in the protos. Fields that hold their zero value are left out of answers.
A request has at most ${MAX_REQUEST_BYTES.toLocaleString("en")} bytes. Calls that change nothing can be made by GET too.`;

/** The unary calls as an OpenAPI 3.1 document. `version` is the server's release. */
export function openApiOf({ files, calls }: Protocol, version: string): JsonObject {
  const unary = calls.filter(({ method }) => method.methodKind === "unary");
  const services = [...new Set(unary.map(({ method }) => method.parent))];
  return {
    openapi: "3.1.0",
    info: {
      title: "Realmwire",
      version,
      summary: "Unary calls as JSON over HTTP.",
      description: INTRODUCTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "http://localhost:8080", description: "A server on this machine." }],
    tags: services.map(tagOf),
    paths: Object.fromEntries(unary.map((call) => [pathOf(call), pathItem(call)])),
    components: {
      securitySchemes: {
        session: {
          type: "http",
          scheme: "bearer",
          description: "The `token` that Login and New answer.",
        },
      },
      parameters: parameters(),
      schemas: schemasOf(files, unary),
    },
  };
}

function tagOf(service: DescService): JsonObject {
  return { name: service.typeName, description: commentOf(service) };
}

function pathOf({ method }: ReferenceCall): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Whether a call can be made by GET, which caches may answer. */
function isSafe({ method }: ReferenceCall): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function pathItem(call: ReferenceCall): JsonObject {
  const content = { "application/json": mediaType(call) };
  const post = {
    ...operation(call, ""),
    parameters: [parameterRef("protocolVersion"), parameterRef("timeout")],
    requestBody: { required: true, content },
  };
  if (!isSafe(call)) return { post };
  const message = {
    name: "message",
    in: "query",
    required: true,
    description: "The request.",
    content,
  };
  const get = {
    ...operation(call, ".get"),
    parameters: [...["connect", "encoding"].map(parameterRef), message, parameterRef("timeout")],
  };
  return { get, post };
}

function mediaType(call: ReferenceCall): JsonObject {
  return { schema: refTo(call.method.input), example: requestExample(call.method) };
}

function operation(call: ReferenceCall, suffix: string): JsonObject {
  const { method, access } = call;
  const { role, perSecond, burst, limitOf, counted } = access;
  const text = callText(call);
  const isOpen = role === Role.ANONYMOUS;
  return {
    operationId: `${method.parent.typeName}.${method.name}${suffix}`,
    tags: [method.parent.typeName],
    summary: text.split(/(?<=\.)\s/, 1)[0] ?? "",
    description: text,
    security: isOpen ? [{}, { session: [] }] : [{ session: [] }],
    "x-access": {
      role: RoleSchema.value[role]?.name ?? "",
      perSecond,
      burst,
      per: isOpen ? "address" : "session",
      limitOf: limitOf.name,
      ...(counted !== undefined && { counted }),
    },
    responses: {
      "200": {
        description: commentOf(method.output),
        content: { "application/json": { schema: refTo(method.output) } },
      },
      ...errorResponses(errorsOf(call)),
    },
  };
}

function errorResponses(reasons: readonly ErrorReason[]): JsonObject {
  const byStatus = Map.groupBy(reasons, (reason) => {
    const code = codeOf(reason);
    if (code === undefined) throw new Error(`${reason} has no code`);
    return String(codeToHttpStatus(code));
  });
  const content = {
    "application/json": { schema: { $ref: `#/components/schemas/${ERROR_SCHEMA}` } },
  };
  const statuses = [...byStatus].map(([status, some]): [string, JsonObject] => {
    const names = some.map(reasonName);
    return [status, { description: `${names.join(", ")}.`, "x-reasons": names, content }];
  });
  return {
    ...Object.fromEntries(statuses),
    default: { description: "An error that has no reason of its own.", content },
  };
}

function parameterRef(name: string): JsonObject {
  return { $ref: `#/components/parameters/${name}` };
}

function parameters(): JsonObject {
  return {
    protocolVersion: {
      name: "connect-protocol-version",
      in: "header",
      description: "The version of the Connect protocol. May be left out.",
      schema: { const: "1" },
    },
    timeout: {
      name: "connect-timeout-ms",
      in: "header",
      description: "How long the caller waits, in milliseconds.",
      schema: { type: "string", pattern: "^[0-9]{1,10}$" },
    },
    connect: { name: "connect", in: "query", required: true, schema: { const: "v1" } },
    encoding: { name: "encoding", in: "query", required: true, schema: { const: "json" } },
  };
}

function schemasOf(files: readonly DescFile[], calls: readonly ReferenceCall[]): JsonObject {
  const components = files.flatMap(componentsOf);
  const all = files.flatMap((file) => [...file.messages, ...file.enums]);
  const roots: DescMessage[] = [
    ...calls.flatMap(({ method }) => [method.input, method.output]),
    ...components,
    ...all.filter((desc) => desc.kind === "message").filter(isErrorDetail),
  ];
  const used = new Set<DescMessage | DescEnum>(roots);
  for (const root of roots) {
    for (const type of usedTypes(root)) used.add(type);
  }
  const named = [...used]
    .filter(({ typeName }) => !typeName.startsWith("google."))
    .toSorted((a, b) => (a.typeName < b.typeName ? -1 : 1))
    .map((desc): [string, JsonObject] => [
      desc.typeName,
      desc.kind === "enum" ? enumSchema(desc) : messageSchema(desc),
    ]);
  return { [ERROR_SCHEMA]: errorSchema(), ...Object.fromEntries(named) };
}

function isErrorDetail({ typeName }: DescMessage): boolean {
  return typeName === ErrorDetailSchema.typeName;
}

function errorSchema(): JsonObject {
  const codes = Object.values(Code).filter((code) => typeof code === "number");
  return {
    type: "object",
    description:
      "Why a call failed. `details` holds an `ErrorDetail` for every error that the server means to give.",
    required: ["code"],
    properties: {
      code: { type: "string", enum: codes.map(codeToString), description: "The kind of error." },
      message: { type: "string", description: "What happened, for people." },
      details: {
        type: "array",
        items: {
          type: "object",
          required: ["type", "value"],
          properties: {
            type: { type: "string", description: "The full name of the message." },
            value: {
              type: "string",
              contentEncoding: "base64",
              description: "The message in Protobuf.",
            },
            debug: {
              $ref: `#/components/schemas/${ErrorDetailSchema.typeName}`,
              description: "The same in JSON.",
            },
          },
        },
      },
    },
  };
}
