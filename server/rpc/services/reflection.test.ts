import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  anyPack,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../gen/ts/grpc/reflection/v1alpha/reflection_pb.ts";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { requireOrSkip } from "../../../test/support/require.ts";
import {
  type RpcServer,
  startRpcServer,
  TOKENS,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { DomainError } from "../../errors.ts";

let server: RpcServer;

beforeAll(async () => {
  const world = worldWith({
    version: (_, { session }) => ({ protocol: "v1", game: session?.accountName ?? "nobody" }),
    get: ({ name }) => {
      throw new DomainError(ErrorReason.NAME_UNKNOWN, `no ${name}`, { metadata: { name } });
    },
    async *update() {
      const components = [
        anyPack(CreatureSchema, create(CreatureSchema, { health: 7, mood: "glad" })),
      ];
      yield { tick: 41, entities: [{ id: 1, name: "hen", components }] };
      yield { tick: 42 };
    },
  });
  server = await startRpcServer({ services: [world] });
});

afterAll(async () => {
  await server.close();
});

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"];

async function ask(...requests: Request[]): Promise<ServerReflectionResponse["messageResponse"][]> {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: server.url }));
  async function* messages() {
    for (const messageRequest of requests)
      yield { host: "x", ...(messageRequest && { messageRequest }) };
  }
  const answers: ServerReflectionResponse["messageResponse"][] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(messages())) {
    answers.push(messageResponse);
  }
  return answers;
}

function filesIn(
  answer: ServerReflectionResponse["messageResponse"] | undefined,
): FileDescriptorProto[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`no files but ${answer?.case}`);
  return answer.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
}

describe("the service", () => {
  test("lists the services", async () => {
    const [answer] = await ask({ case: "listServices", value: "*" });
    expect(answer?.value).toMatchObject({
      service: [
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
        { name: "realmwire.v1.WorldService" },
      ],
    });
  });

  test("a symbol's file comes with all that it imports, enough to build types from", async () => {
    const [answer] = await ask({
      case: "fileContainingSymbol",
      value: "realmwire.v1.WorldService",
    });
    const files = filesIn(answer);
    expect(files[0]?.name).toBe("realmwire/v1/world_service.proto");
    expect(files.map((file) => file.name)).toEqual(
      expect.arrayContaining([
        "buf/validate/validate.proto",
        "google/protobuf/descriptor.proto",
        "realmwire/v1/options.proto",
      ]),
    );
    const registry = createFileRegistry(
      create(FileDescriptorSetSchema, { file: importsFirst(files) }),
    );
    expect(registry.getService("realmwire.v1.WorldService")?.methods).toHaveLength(10);
  });

  test.each([
    ["realmwire.v1.WorldService.Move", "realmwire/v1/world_service.proto"],
    ["realmwire.v1.MoveRequest", "realmwire/v1/world_service.proto"],
    ["realmwire.v1.MoveRequest.sequence", "realmwire/v1/world_service.proto"],
    ["realmwire.v1.MoveRequest.kind", "realmwire/v1/world_service.proto"],
    ["realmwire.v1.Role", "realmwire/v1/options.proto"],
    ["realmwire.v1.ROLE_ADMIN", "realmwire/v1/options.proto"],
    ["realmwire.v1.access", "realmwire/v1/options.proto"],
    ["realmwire.v1.ErrorDetail", "realmwire/v1/error.proto"],
    ["meadow.v1.Purse", "meadow/v1/components.proto"],
    ["grpc.health.v1.Health", "grpc/health/v1/health.proto"],
    ["grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"],
    ["google.protobuf.Any", "google/protobuf/any.proto"],
    ["google.protobuf.FieldOptions.CType", "google/protobuf/descriptor.proto"],
  ])("%s is found", async (symbol, file) => {
    const [answer] = await ask({ case: "fileContainingSymbol", value: symbol });
    expect(filesIn(answer)[0]?.name).toBe(file);
  });

  test("a file by its name; imports come once a stream, what is asked for always", async () => {
    const byName: Request = { case: "fileByFilename", value: "realmwire/v1/entity.proto" };
    const [first, second] = await ask(byName, byName);
    expect(filesIn(first).length).toBeGreaterThan(1);
    expect(filesIn(second).map((file) => file.name)).toEqual(["realmwire/v1/entity.proto"]);
  });

  test("extensions, by number and all", async () => {
    const [one, all, none] = await ask(
      {
        case: "fileContainingExtension",
        value: { containingType: "google.protobuf.MethodOptions", extensionNumber: 50701 },
      },
      { case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" },
      { case: "allExtensionNumbersOfType", value: "realmwire.v1.Vector" },
    );
    expect(filesIn(one)[0]?.name).toBe("realmwire/v1/options.proto");
    // buf.validate.field and realmwire.v1.attribute.
    expect(all?.value).toMatchObject({
      extensionNumber: expect.arrayContaining([1159, 50702]) as number[],
    });
    expect(none?.value).toMatchObject({ baseTypeName: "realmwire.v1.Vector", extensionNumber: [] });
  });

  test("what is not there is told, and the stream goes on", async () => {
    const answers = await ask(
      { case: "fileContainingSymbol", value: "no.such.Thing" },
      { case: "fileByFilename", value: "no/such.proto" },
      {
        case: "fileContainingExtension",
        value: { containingType: "google.protobuf.MethodOptions", extensionNumber: 1 },
      },
      { case: "allExtensionNumbersOfType", value: "no.such.Thing" },
      undefined,
      { case: "listServices", value: "" },
    );
    expect(answers.map((answer) => answer.case)).toEqual([
      ...Array<string>(5).fill("errorResponse"),
      "listServicesResponse",
    ]);
    expect(answers[0]?.value).toMatchObject({ errorCode: Code.NotFound });
    expect(answers[4]?.value).toMatchObject({ errorCode: Code.InvalidArgument });
  });

  test("v1alpha answers the same", async () => {
    const client = createClient(
      ServerReflectionAlpha,
      createGrpcTransport({ baseUrl: server.url }),
    );
    async function* messages() {
      yield {
        messageRequest: {
          case: "fileContainingSymbol" as const,
          value: "realmwire.v1.WorldService",
        },
      };
    }
    for await (const { messageResponse, originalRequest } of client.serverReflectionInfo(
      messages(),
    )) {
      expect(messageResponse.case).toBe("fileDescriptorResponse");
      expect(originalRequest?.messageRequest.value).toBe("realmwire.v1.WorldService");
    }
  });
});

function importsFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const sorted = new Set<FileDescriptorProto>();
  function add(file: FileDescriptorProto | undefined): void {
    if (file === undefined) throw new Error("an import is missing");
    for (const name of file.dependency) add(files.find((other) => other.name === name));
    sorted.add(file);
  }
  for (const file of files) add(file);
  return [...sorted];
}

const run = promisify(execFile);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function tool(command: string, args: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(command, args, { timeout: 20_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const AUTHORIZATION = `authorization: Bearer ${TOKENS.player}`;
const BUF = join(import.meta.dirname, "../../../node_modules/.bin/buf");

describe("buf curl, without a schema", () => {
  test.each([
    [["--protocol", "connect"]],
    [["--protocol", "grpc"]],
    [["--protocol", "grpc", "--http2-prior-knowledge"]],
    [["--protocol", "grpcweb"]],
    [["--protocol", "connect", "--reflect-protocol", "grpc-v1alpha"]],
    [
      [
        "--protocol",
        "connect",
        "--reflect=false",
        "--schema",
        join(import.meta.dirname, "../../.."),
      ],
    ],
  ])("%j", async (flags) => {
    const { stdout, stderr } = await tool(BUF, [
      "curl",
      ...flags,
      "-H",
      AUTHORIZATION,
      `${server.url}/realmwire.v1.WorldService/Version`,
    ]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ protocol: "v1", game: "ada" });
  });

  test("a stream, with components printed as JSON", async () => {
    const { stdout } = await tool(BUF, [
      "curl",
      "-H",
      AUTHORIZATION,
      "-d",
      '{"once":true}',
      `${server.url}/realmwire.v1.WorldService/Update`,
    ]);
    expect(stdout).toContain('"@type": "type.googleapis.com/meadow.v1.Creature"');
    expect(stdout).toContain('"mood": "glad"');
    expect(stdout).toContain('"tick": 42');
  });

  test.each(["connect", "grpc", "grpcweb"])("an error with its detail, %s", async (protocol) => {
    const { code, stderr } = await tool(BUF, [
      "curl",
      "--protocol",
      protocol,
      "-H",
      AUTHORIZATION,
      "-d",
      '{"name":"x"}',
      `${server.url}/realmwire.v1.WorldService/Get`,
    ]);
    expect(code).toBe(Code.NotFound << 3);
    // buf prints a detail in readable form only where the server wrote that too, which is in Connect alone.
    const { details } = JSON.parse(stderr) as { details: { type: string; value: string }[] };
    expect(details[0]?.type).toBe("realmwire.v1.ErrorDetail");
    const detail = fromBinary(ErrorDetailSchema, Buffer.from(details[0]?.value ?? "", "base64"));
    expect(detail).toMatchObject({ reason: ErrorReason.NAME_UNKNOWN, metadata: { name: "x" } });
  });

  test("lists services and calls", async () => {
    const services = await tool(BUF, ["curl", "--list-services", server.url]);
    expect(services.stdout).toContain("realmwire.v1.WorldService\n");
    const calls = await tool(BUF, ["curl", "--list-methods", server.url]);
    expect(calls.stdout).toContain("realmwire.v1.WorldService/Edit\n");
  });
});

function findGrpcurl(): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    join(process.env["GOPATH"] ?? join(homedir(), "go"), "bin"),
  ];
  return folders.map((folder) => join(folder, "grpcurl")).find((path) => existsSync(path));
}

test("grpcurl lists, describes and calls", async (context) => {
  const grpcurl = findGrpcurl();
  requireOrSkip(context, grpcurl !== undefined, "grpcurl");
  const call = (...args: string[]) => tool(grpcurl ?? "", ["-plaintext", ...args]);
  const list = await call(server.host, "list");
  expect(list.stdout.split("\n")).toContain("realmwire.v1.WorldService");
  const described = await call(server.host, "describe", "realmwire.v1.WorldService.Move");
  expect(described.stdout).toContain("role: ROLE_PLAYER");
  const version = await call("-H", AUTHORIZATION, server.host, "realmwire.v1.WorldService/Version");
  expect(JSON.parse(version.stdout)).toEqual({ protocol: "v1", game: "ada" });
  const update = await call("-H", AUTHORIZATION, server.host, "realmwire.v1.WorldService/Update");
  expect(update.stdout).toContain('"mood": "glad"');
  const error = await call(
    "-d",
    '{"name":"x"}',
    "-H",
    AUTHORIZATION,
    server.host,
    "realmwire.v1.WorldService/Get",
  );
  expect(error.stderr).toContain("ERROR_REASON_NAME_UNKNOWN");
});
