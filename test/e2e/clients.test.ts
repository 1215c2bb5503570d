import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, createRegistry, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, JsonValue, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { anyUnpack, AnySchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { ErrorDetail } from "../../gen/ts/realmwire/v1/error_pb.ts";
import {
  EditResponseSchema,
  GetResponseSchema,
  LoginResponseSchema,
  MoveResponseSchema,
  SetResponseSchema,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { COMPONENTS, failureOf, freshName } from "../support/player.ts";
import { isInstalled, requireOrSkip } from "../support/require.ts";
import { DEV_PASSWORD, root, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const run = promisify(execFile);
const PASSWORD = "open sesame";
const { version, upgrade, login, update, move, get, set, edit } = WorldService.method;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server?.dispose();
});

describe("grpc-js, over HTTP/2 without TLS", () => {
  let client: Client;

  beforeAll(() => {
    client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  });

  afterAll(() => client?.close());

  function headers(token: string): Metadata {
    const metadata = new Metadata();
    if (token !== "") metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }

  /** The parts of a call that grpc-js asks for. */
  function codec<I extends DescMessage, O extends DescMessage>(method: {
    input: I;
    output: O;
    parent: { typeName: string };
    name: string;
  }) {
    return {
      path: `/${method.parent.typeName}/${method.name}`,
      serialize: (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
    };
  }

  function unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    token = "",
  ): Promise<MessageShape<O>> {
    const { path, serialize, deserialize } = codec(method);
    const message = create(method.input, request);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        message,
        headers(token),
        (error, answer) => {
          if (answer) resolve(answer);
          else reject(error ?? new Error("neither an answer nor an error"));
        },
      );
    });
  }

  /** Reads a stream until it ends, or until there were so many messages. */
  function stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: { token?: string; limit?: number } = {},
  ): Promise<MessageShape<O>[]> {
    const { path, serialize, deserialize } = codec(method);
    const messages: MessageShape<O>[] = [];
    const call = client.makeServerStreamRequest(
      path,
      serialize,
      deserialize,
      create(method.input, request),
      headers(options.token ?? ""),
    );
    return new Promise((resolve, reject) => {
      call.on("data", (message: MessageShape<O>) => {
        messages.push(message);
        if (messages.length !== options.limit) return;
        resolve(messages);
        call.cancel();
      });
      call.on("end", () => resolve(messages));
      call.on("error", reject);
    });
  }

  test("[PY-1] … [PY-10] the nine calls", async () => {
    expect(await unary(version, {})).toMatchObject({ protocol: "v1", game: "meadow" });
    const name = freshName("Grp");
    const created = await unary(WorldService.method.new, { name, password: PASSWORD });
    expect(created.character).toBe(name);
    const { token } = await unary(login, { name, password: PASSWORD });
    const [scene, ...rest] = await stream(update, { once: true }, { token });
    expect(scene?.scene?.zone).toBe("town");
    expect(rest).toEqual([]);
    const running = await stream(update, {}, { token, limit: 5 });
    expect(running).toHaveLength(5);
    const value = { $typeName: "realmwire.v1.Vector" as const, x: 0, y: 0, z: 0 };
    const moved = await unary(move, { kind: { case: "direction", value }, sequence: 7 }, token);
    expect(moved).toMatchObject({ moved: true, sequence: 7 });
    const change = {
      case: "value" as const,
      value: { kind: { case: "stringValue" as const, value: "🐑" } },
    };
    await unary(set, { attribute: "mood", change }, token);
    const { attributes } = await unary(get, { attributes: ["mood"] }, token);
    expect(attributes["mood"]?.kind.value).toBe("🐑");
    const builder = await unary(login, { name: "builder", password: DEV_PASSWORD });
    const region = { x: 0, y: 0, width: 1, height: 1 };
    const barrier = { kind: { case: "setBarriers" as const, value: { region, blocked: true } } };
    const edited = await unary(edit, { commands: [barrier], dryRun: true }, builder.token);
    expect(edited.revision).toBeGreaterThan(1);
    const parts = await stream(upgrade, { platform: "typescript" });
    expect(parts.map(({ part }) => part.case).slice(0, 2)).toEqual(["manifest", "chunk"]);
  });

  test("errors carry their detail in grpc-status-details-bin", async () => {
    const refusals: [() => Promise<unknown>, number, ErrorReason][] = [
      [() => unary(get, {}), 16, ErrorReason.LOGIN_REQUIRED],
      [() => unary(get, {}, "no-token"), 16, ErrorReason.TOKEN_INVALID],
      [() => unary(login, { name: "nobody", password: "x" }), 16, ErrorReason.CREDENTIALS_WRONG],
      [() => stream(update, {}), 16, ErrorReason.LOGIN_REQUIRED],
      [() => stream(upgrade, { platform: "amiga" }), 5, ErrorReason.RELEASE_UNKNOWN],
    ];
    for (const [call, code, reason] of refusals) {
      const error = await call().then(
        () => undefined,
        (failure: unknown) => failure as ServiceError,
      );
      expect(error?.code).toBe(code);
      expect(detailOf(error)?.reason).toBe(reason);
    }
    const invalid = await unary(WorldService.method.new, { name: "", password: "" }).catch(
      (failure: unknown) => failure as ServiceError,
    );
    const detail = "code" in invalid ? detailOf(invalid) : undefined;
    expect(detail?.violations.map(({ field }) => field)).toEqual(
      expect.arrayContaining(["name", "password"]),
    );
  });
});

/** The `ErrorDetail` in a `google.rpc.Status`, whose field 3 is repeated `google.protobuf.Any`. */
function detailOf(error: ServiceError | undefined): ErrorDetail | undefined {
  const [status] = error?.metadata.get("grpc-status-details-bin") ?? [];
  if (!(status instanceof Buffer)) return undefined;
  const reader = new BinaryReader(status);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== 3) reader.skip(wireType);
    else return anyUnpack(fromBinary(AnySchema, reader.bytes()), ErrorDetailSchema);
  }
  return undefined;
}

/** A program that makes a call: its output as JSON, one item for each message. */
type Caller = (
  method: DescMethod,
  request: JsonValue,
  token?: string,
) => Promise<{ messages: JsonValue[]; error: string }>;

async function runProgram(program: string, args: readonly string[]) {
  try {
    const { stdout } = await run(program, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    return { messages: parseMessages(stdout), error: "" };
  } catch (error) {
    const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
    return { messages: parseMessages(stdout), error: stderr };
  }
}

/** Several JSON texts one after the other, each beginning with a brace in the first column. */
function parseMessages(text: string): JsonValue[] {
  const texts = text.split(/\n(?=\{)/).filter((part) => part.trim() !== "");
  return texts.map((part) => JSON.parse(part) as JsonValue);
}

/** The nine calls by a program that learns the schema from the server's reflection. */
async function expectNineCalls(call: Caller): Promise<void> {
  const one = async (method: DescMethod, request: JsonValue, token?: string) => {
    const { messages, error } = await call(method, request, token);
    expect(error, method.name).toBe("");
    expect(messages, method.name).toHaveLength(1);
    return messages[0] as JsonValue;
  };
  expect(await one(version, {})).toMatchObject({ protocol: "v1", game: "meadow" });
  const name = freshName("Prg");
  await one(WorldService.method.new, { name, password: PASSWORD });
  const session = fromJson(LoginResponseSchema, await one(login, { name, password: PASSWORD }));
  expect(session).toMatchObject({ character: name, account: { name } });
  const { token } = session;

  const scene = (await one(update, { once: true }, token)) as {
    scene: { zone: string };
    entities: { name: string; components: { "@type": string }[] }[];
  };
  expect(scene.scene.zone).toBe("town");
  const self = scene.entities.find((entity) => entity.name === name);
  expect(self?.components.map((component) => component["@type"])).toEqual(
    expect.arrayContaining([
      "type.googleapis.com/realmwire.v1.Body",
      "type.googleapis.com/meadow.v1.Creature",
    ]),
  );

  const moved = fromJson(MoveResponseSchema, await one(move, { direction: {} }, token));
  expect(moved.moved).toBe(true);
  const asked = { attribute: "mood", value: { stringValue: "zufrieden 😌" } };
  const value = fromJson(SetResponseSchema, await one(set, asked, token)).value?.kind.value;
  expect(value).toBe("zufrieden 😌");
  const got = await one(get, { attributes: ["mood", "gold"] }, token);
  const { attributes } = fromJson(GetResponseSchema, got);
  expect(attributes["mood"]?.kind.value).toBe("zufrieden 😌");
  expect(attributes["gold"]?.kind.value).toBe(10n);

  const builder = fromJson(
    LoginResponseSchema,
    await one(login, { name: "builder", password: DEV_PASSWORD }),
  );
  const region = { x: 0, y: 0, width: 1, height: 1 };
  const order = { commands: [{ setBarriers: { region, blocked: true } }], dryRun: true };
  const edited = fromJson(EditResponseSchema, await one(edit, order, builder.token));
  expect(edited.revision).toBeGreaterThan(1);

  const image = await call(upgrade, { platform: "typescript" });
  expect(image.error).toBe("");
  expect(image.messages[0]).toHaveProperty("manifest.files");
  expect(image.messages.length).toBeGreaterThan(20);

  const refused = await call(get, { name: "no-such-thing" }, token);
  expect(refused.messages).toEqual([]);
  expect(refused.error).toContain("no-such-thing");
}

describe("buf curl, without a schema", () => {
  test.each([
    ["connect", []],
    ["grpc", []],
    ["grpcweb", []],
    ["connect", ["--http2-prior-knowledge"]],
    ["grpcweb", ["--http2-prior-knowledge"]],
  ])(
    "[PY-1] … [PY-10] the nine calls: --protocol %s %s",
    { timeout: 60_000 },
    async (protocol, flags) => {
      const buf = join(root, "node_modules/.bin/buf");
      await expectNineCalls((method, request, token) =>
        runProgram(buf, [
          "curl",
          ...["--protocol", protocol],
          ...flags,
          ...(token ? ["--header", `authorization: Bearer ${token}`] : []),
          ...["--data", JSON.stringify(request)],
          `${server.baseUrl}/${method.parent.typeName}/${method.name}`,
        ]),
      );
    },
  );
});

test("[PY-1] … [PY-10] grpcurl, without a schema: the nine calls", async (context) => {
  requireOrSkip(context, await isInstalled("grpcurl"), "grpcurl");
  await expectNineCalls((method, request, token) =>
    runProgram("grpcurl", [
      "-plaintext",
      ...(token ? ["-H", `authorization: Bearer ${token}`] : []),
      ...["-d", JSON.stringify(request)],
      `127.0.0.1:${server.port}`,
      `${method.parent.typeName}/${method.name}`,
    ]),
  );
  const { stdout } = await run("grpcurl", [
    "-plaintext",
    `127.0.0.1:${server.port}`,
    "describe",
    "meadow.v1.Purse",
  ]);
  expect(stdout).toContain("int64 gold = 1");
});

describe("plain fetch, in JSON", () => {
  const url = (method: DescMethod) => `${server.baseUrl}/${method.parent.typeName}/${method.name}`;

  async function post(method: DescMethod, request: JsonValue, token = "") {
    const answer = await fetch(url(method), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(request),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, JsonValue> };
  }

  /** A streaming call in Connect's JSON: each message in an envelope of a flag byte and a length of four. */
  async function poll(method: DescMethod, request: JsonValue, token: string) {
    const message = Buffer.from(JSON.stringify(request));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const answer = await fetch(url(method), {
      method: "POST",
      headers: { "content-type": "application/connect+json", authorization: `Bearer ${token}` },
      body: Buffer.concat([head, message]),
    });
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const frames: { isEnd: boolean; body: Record<string, JsonValue> }[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = bytes.readUInt32BE(at + 1);
      const text = bytes.subarray(at + 5, at + 5 + length).toString();
      frames.push({
        isEnd: (bytes[at] ?? 0) === 2,
        body: JSON.parse(text) as Record<string, JsonValue>,
      });
      at += 5 + length;
    }
    return frames;
  }

  test("[PY-1] … [PY-10] the nine calls", async () => {
    const name = freshName("Fet");
    expect((await post(version, {})).body).toMatchObject({ protocol: "v1" });
    // Reads may be made by GET, so that caches can help.
    const query = "?connect=v1&encoding=json&message=%7B%7D";
    const read = await fetch(`${url(version)}${query}`);
    expect(await read.json()).toMatchObject({ protocol: "v1" });
    expect(await post(WorldService.method.new, { name, password: PASSWORD })).toMatchObject({
      status: 200,
      body: { character: name },
    });
    const { body } = await post(login, { name, password: PASSWORD });
    const token = String(body["token"]);
    const [scene, end, ...rest] = await poll(update, { once: true }, token);
    expect(scene?.body).toMatchObject({ scene: { zone: "town" } });
    expect([end?.isEnd, end?.body, rest]).toEqual([true, {}, []]);
    const first = (await poll(upgrade, { platform: "typescript" }, token))[0];
    expect(first?.body).toHaveProperty("manifest");
    expect((await post(move, { direction: {}, sequence: 3 }, token)).body).toMatchObject({
      moved: true,
      sequence: 3,
    });
    await post(set, { attribute: "steps", add: { intValue: "9007199254740993" } }, token);
    expect((await post(get, { attributes: ["steps"] }, token)).body).toEqual({
      attributes: { steps: { intValue: "9007199254740993" } },
    });
    const asGet = `${url(get)}?connect=v1&encoding=json&message=${encodeURIComponent('{"attributes":["name"]}')}`;
    const answer = await fetch(asGet, { headers: { authorization: `Bearer ${token}` } });
    expect(await answer.json()).toEqual({ attributes: { name: { stringValue: name } } });
    expect(await post(edit, { commands: [] }, token)).toMatchObject({
      status: 403,
      body: { code: "permission_denied" },
    });
  });

  test("errors in JSON name the reason in words", async () => {
    const { status, body } = await post(WorldService.method.new, { name: "", password: PASSWORD });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: "invalid_argument",
      details: [
        {
          type: "realmwire.v1.ErrorDetail",
          debug: {
            reason: "ERROR_REASON_INVALID_FIELDS",
            violations: expect.arrayContaining([
              expect.objectContaining({ field: "name" }),
            ]) as unknown,
          },
        },
      ],
    });
    const refused = await post(get, {});
    expect(refused).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
    const nonsense = await post(move, { teleport: true });
    expect(nonsense.status).toBeGreaterThanOrEqual(400);
    expect(nonsense.status).toBeLessThan(500);
  });
});

describe("connect-web, as in a browser", () => {
  test.each([
    ["connect in JSON", createConnectTransport, false],
    ["connect", createConnectTransport, true],
    ["grpc-web", createGrpcWebTransport, true],
  ] as const)("[PY-1] … [PY-10] the nine calls over %s", async (_, createTransport, isBinary) => {
    let token = "";
    const world = createClient(
      WorldService,
      createTransport({
        baseUrl: server.baseUrl,
        useBinaryFormat: isBinary,
        jsonOptions: { registry: createRegistry(BodySchema, PresenceSchema, ...COMPONENTS) },
        interceptors: [
          (next) => (request) => {
            if (token !== "") request.header.set("authorization", `Bearer ${token}`);
            return next(request);
          },
        ],
      }),
    );
    const name = freshName("Web");
    expect((await world.version({})).game).toBe("meadow");
    expect((await failureOf(world.get({}))).reason).toBe(ErrorReason.LOGIN_REQUIRED);
    await world.new({ name, password: PASSWORD });
    token = (await world.login({ name, password: PASSWORD })).token;
    let count = 0;
    for await (const message of world.update({})) {
      expect(message.scene === undefined).toBe(count > 0);
      if (++count === 4) break;
    }
    for await (const { scene } of world.update({ once: true })) expect(scene?.zone).toBe("town");
    const direction = { $typeName: "realmwire.v1.Vector" as const, x: 0, y: 0, z: 0 };
    const moved = await world.move({ kind: { case: "direction", value: direction } });
    expect(moved.moved).toBe(true);
    const value = { kind: { case: "stringValue" as const, value: "web" } };
    await world.set({ attribute: "mood", change: { case: "value", value } });
    const { attributes } = await world.get({ attributes: ["mood"] });
    expect(attributes["mood"]?.kind.value).toBe("web");
    expect((await failureOf(world.edit({ undoRevision: 2 }))).reason).toBe(
      ErrorReason.ROLE_TOO_LOW,
    );
    let bytes = 0;
    for await (const { part } of world.upgrade({ platform: "typescript" })) {
      if (part.case === "chunk") bytes += part.value.data.length;
    }
    expect(bytes).toBeGreaterThan(50_000);
  });

  test("a page of another origin may call and read errors", async () => {
    const origin = "https://game.example";
    const url = `${server.baseUrl}/realmwire.v1.WorldService/Get`;
    const asked = await fetch(url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,connect-protocol-version",
      },
    });
    expect(asked.ok).toBe(true);
    expect(asked.headers.get("access-control-allow-origin")).toMatch(
      /^(\*|https:\/\/game.example)$/,
    );
    expect(asked.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
      "authorization",
    );
    const answer = await fetch(url, {
      method: "POST",
      headers: { origin, "content-type": "application/json" },
      body: "{}",
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("access-control-allow-origin")).not.toBeNull();
  });
});
