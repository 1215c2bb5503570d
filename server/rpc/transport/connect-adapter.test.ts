import { gzipSync } from "node:zlib";
import net from "node:net";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { create, createRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient, Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  GetRequestSchema,
  UpdateRequestSchema,
  UpdateResponseSchema,
  VersionRequestSchema,
  VersionResponseSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  type RpcServer,
  startRpcServer,
  TOKENS,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { parseAddresses } from "../../addresses.ts";
import { DomainError } from "../../errors.ts";
import type { Call } from "../service.ts";

let server: RpcServer;
const peers: string[] = [];
const aborted: string[] = [];
const shutdown = new AbortController();

const world = worldWith({
  version: (_, call) => {
    peers.push(call.peer);
    return { protocol: "v1", server: "0.1.0", game: call.session?.accountName ?? "nobody" };
  },
  get: ({ name }) => {
    if (name === "bug") throw new TypeError("the secret inside");
    if (name === "nobody") {
      throw new DomainError(ErrorReason.NAME_UNKNOWN, "there is no “nobody”", {
        metadata: { name },
      });
    }
    return {
      attributes: {
        creature: {
          kind: {
            case: "messageValue",
            value: anyPack(CreatureSchema, create(CreatureSchema, { health: 7, mood: "glad" })),
          },
        },
      },
    };
  },
  async *update({ cursor, once }, call) {
    yield { tick: 1, entities: [entity()] };
    if (once) return;
    if (cursor.startsWith("flood")) {
      try {
        for (;;) yield { tick: 2, entities: [{ id: 1, name: "x".repeat(50_000) }] };
      } finally {
        aborted.push(cursor);
      }
    }
    yield { tick: 2 };
    if (cursor === "fail")
      throw new DomainError(ErrorReason.ZONE_STOPPED, "it ended", { metadata: { zone: "town" } });
    if (cursor === "bug") throw new TypeError("the secret inside");
    await untilAborted(call);
    aborted.push(cursor);
  },
});

function entity() {
  return {
    id: 1,
    name: "hen",
    components: [anyPack(CreatureSchema, create(CreatureSchema, { health: 7 }))],
  };
}

function untilAborted({ signal }: Call): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}

beforeAll(async () => {
  server = await startRpcServer({
    services: [world],
    connect: { shutdownSignal: shutdown.signal, maxRequestBytes: 100_000 },
  });
});

afterAll(async () => {
  await server.close();
});

const AUTHORIZED = { authorization: `Bearer ${TOKENS.player}` };

function transports(): [string, () => Transport][] {
  const baseUrl = () => server.url;
  return [
    [
      "Connect, binary, HTTP/1.1",
      () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "1.1" }),
    ],
    [
      "Connect, binary, GET",
      () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "1.1", useHttpGet: true }),
    ],
    [
      "Connect, JSON, HTTP/1.1",
      () =>
        createConnectTransport({
          baseUrl: baseUrl(),
          httpVersion: "1.1",
          useBinaryFormat: false,
          jsonOptions: { registry: createRegistry(CreatureSchema) },
        }),
    ],
    [
      "Connect, binary, h2c",
      () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "2" }),
    ],
    ["gRPC, h2c", () => createGrpcTransport({ baseUrl: baseUrl() })],
    [
      "gRPC-Web, HTTP/1.1",
      () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: "1.1" }),
    ],
    ["gRPC-Web, h2c", () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: "2" })],
    [
      "gRPC, sending gzip",
      () =>
        createGrpcTransport({
          baseUrl: baseUrl(),
          sendCompression: compressionGzip,
          compressMinBytes: 0,
        }),
    ],
    [
      "Connect, sending gzip",
      () =>
        createConnectTransport({
          baseUrl: baseUrl(),
          httpVersion: "1.1",
          sendCompression: compressionGzip,
          compressMinBytes: 0,
        }),
    ],
  ];
}

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => new Error("did not fail"),
      (error: unknown) => error,
    ),
  );
}

async function collect<T>(messages: AsyncIterable<T>, into: T[]): Promise<void> {
  for await (const message of messages) into.push(message);
}

describe.each(transports())("%s", (name, createTransport) => {
  test("a unary call, with a session and without", async () => {
    const client = createClient(WorldService, createTransport());
    expect((await client.version({})).game).toBe("nobody");
    expect((await client.version({}, { headers: AUTHORIZED })).game).toBe("ada");
    expect(peers.at(-1)).toMatch(/127\.0\.0\.1$/);
  });

  test("an error says its code, its reason and what it is about", async () => {
    const client = createClient(WorldService, createTransport());
    const error = await failure(client.get({ name: "nobody" }, { headers: AUTHORIZED }));
    expect(error.code).toBe(Code.NotFound);
    expect(error.rawMessage).toBe("there is no “nobody”");
    expect(error.findDetails(ErrorDetailSchema)).toMatchObject([
      { reason: ErrorReason.NAME_UNKNOWN, metadata: { name: "nobody" } },
    ]);
    const login = await failure(client.move({ kind: { case: "direction", value: {} } }));
    expect(login.code).toBe(Code.Unauthenticated);
    const unimplemented = await failure(
      client.set({ attribute: "a", change: { case: "add", value: {} } }, { headers: AUTHORIZED }),
    );
    expect(unimplemented.code).toBe(Code.Unimplemented);
  });

  test("a bug's error keeps its secret", async () => {
    const client = createClient(WorldService, createTransport());
    const error = await failure(client.get({ name: "bug" }, { headers: AUTHORIZED }));
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toBe("internal error");
    expect(JSON.stringify(error.details)).not.toContain("secret");
  });

  test("a stream, to its end and to its error", async () => {
    const client = createClient(WorldService, createTransport());
    const once: unknown[] = [];
    await collect(client.update({ once: true }, { headers: AUTHORIZED }), once);
    expect(once).toMatchObject([{ tick: 1, entities: [{ name: "hen" }] }]);
    for (const [cursor, code] of [
      ["fail", Code.Unavailable],
      ["bug", Code.Internal],
    ] as const) {
      const seen: unknown[] = [];
      const error = await failure(
        collect(client.update({ cursor }, { headers: AUTHORIZED }), seen),
      );
      expect(seen).toHaveLength(2);
      expect(error.code).toBe(code);
      expect(error.message).not.toContain("secret");
      expect(error.findDetails(ErrorDetailSchema)).toHaveLength(cursor === "fail" ? 1 : 0);
    }
  });

  test("a client that leaves ends its stream; a deadline does too, and says so", async () => {
    const client = createClient(WorldService, createTransport());
    const leaving = new AbortController();
    for await (const message of client.update(
      { cursor: name.slice(0, 64) },
      { headers: AUTHORIZED, signal: leaving.signal },
    )) {
      if (message.tick === 2) break;
    }
    leaving.abort();
    await expect.poll(() => aborted).toContain(name.slice(0, 64));
    const late = await failure(
      collect(client.update({}, { headers: AUTHORIZED, timeoutMs: 100 }), []),
    );
    expect(late.code).toBe(Code.DeadlineExceeded);
  });

  test("a client that leaves while much is written to it ends its stream", async () => {
    const client = createClient(WorldService, createTransport());
    const cursor = `flood ${name}`.slice(0, 64);
    const leaving = new AbortController();
    const { signal } = leaving;
    for await (const message of client.update({ cursor }, { headers: AUTHORIZED, signal })) {
      if (message.tick === 2) break;
    }
    leaving.abort();
    await expect.poll(() => aborted).toContain(cursor);
  });
});

test("nobody's leaving is logged as an error, and every bug is", () => {
  const errors = server.log.filter((line) => line.level === "error");
  const bugs = errors.filter((line) => line.fields["err"] instanceof TypeError);
  expect(bugs.length).toBeGreaterThan(10);
  expect(errors).toEqual(bugs);
});

function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("plain HTTP and JSON", () => {
  test("a call by hand, with components inside Any", async () => {
    const answer = await post("/realmwire.v1.WorldService/Get", "{}", AUTHORIZED);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      attributes: {
        creature: {
          messageValue: {
            "@type": "type.googleapis.com/meadow.v1.Creature",
            health: 7,
            mood: "glad",
          },
        },
      },
    });
  });

  test("a GET by hand", async () => {
    const query = "connect=v1&encoding=json&message=%7B%7D";
    const answer = await fetch(`${server.url}/realmwire.v1.WorldService/Version?${query}`);
    expect(await answer.json()).toMatchObject({ protocol: "v1" });
  });

  test("broken rules, readable", async () => {
    const body = JSON.stringify({ name: "ada", password: "short" });
    const answer = await post("/realmwire.v1.WorldService/New", body);
    expect(answer.status).toBe(400);
    const error = (await answer.json()) as {
      code: string;
      details: { type: string; debug: unknown }[];
    };
    expect(error.code).toBe("invalid_argument");
    expect(error.details[0]?.type).toBe("realmwire.v1.ErrorDetail");
    expect(error.details[0]?.debug).toMatchObject({
      reason: "ERROR_REASON_INVALID_FIELDS",
      violations: [{ field: "password" }],
    });
  });

  test("a request with gzip is read, an answer is not packed", async () => {
    const packed = new Uint8Array(gzipSync(JSON.stringify({ name: "x".repeat(64) })));
    const answer = await post("/realmwire.v1.WorldService/Get", packed, {
      ...AUTHORIZED,
      "content-encoding": "gzip",
      "accept-encoding": "gzip",
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-encoding")).toBeNull();
  });

  test("too large a request is refused, also when it is small only as long as it is packed", async () => {
    const large = JSON.stringify({ name: "x".repeat(200_000) });
    const answer = await post("/realmwire.v1.WorldService/Get", large, AUTHORIZED);
    expect(await answer.json()).toMatchObject({ code: "resource_exhausted" });
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(20_000_000, 32)));
    expect(bomb.length).toBeLessThan(50_000);
    const packed = await post("/realmwire.v1.WorldService/Get", bomb, {
      ...AUTHORIZED,
      "content-encoding": "gzip",
    });
    expect(await packed.json()).toMatchObject({ code: "resource_exhausted" });
  });

  test("half a surrogate pair in a name does not break the answer", async () => {
    const answer = await post("/realmwire.v1.WorldService/Get", '{"name":"\\ud800"}', AUTHORIZED);
    expect(answer.status).toBeLessThan(500);
  });

  test("a request that no URL can be made of is refused", async () => {
    for (const head of [
      "POST /realmwire.v1.WorldService/Version HTTP/1.0",
      "POST /realmwire.v1.WorldService/Version HTTP/1.1\r\nHost: a b",
      "POST /realmwire.v1.WorldService/Version HTTP/1.1\r\nHost: [",
    ]) {
      expect(
        await rawAnswer(
          `${head}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
        ),
      ).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test("a timeout that no timer holds is refused, not treated as none", async () => {
    const answer = await post("/realmwire.v1.WorldService/Version", "{}", {
      "connect-timeout-ms": "9999999999",
    });
    expect(await answer.json()).toMatchObject({ code: "invalid_argument" });
  });
});

async function rawAnswer(request: string): Promise<string> {
  const socket = net.connect(server.portNumber, "127.0.0.1");
  socket.write(request);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe("grpc-js, a client of another make", () => {
  let client: grpc.Client;

  beforeAll(() => {
    client = new grpc.Client(server.host, grpc.credentials.createInsecure());
  });

  afterAll(() => {
    client.close();
  });

  const metadata = () => {
    const result = new grpc.Metadata();
    result.set("authorization", AUTHORIZED.authorization);
    return result;
  };

  test("a unary call", async () => {
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        "/realmwire.v1.WorldService/Version",
        (message: ReturnType<typeof create<typeof VersionRequestSchema>>) =>
          Buffer.from(toBinary(VersionRequestSchema, message)),
        (bytes) => fromBinary(VersionResponseSchema, bytes),
        create(VersionRequestSchema),
        metadata(),
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
    expect(answer).toMatchObject({ protocol: "v1", game: "ada" });
  });

  test("an error with its detail", async () => {
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        "/realmwire.v1.WorldService/Get",
        (message: ReturnType<typeof create<typeof GetRequestSchema>>) =>
          Buffer.from(toBinary(GetRequestSchema, message)),
        (bytes) => bytes,
        create(GetRequestSchema, { name: "nobody" }),
        metadata(),
        resolve,
      );
    });
    expect(error?.code).toBe(grpc.status.NOT_FOUND);
    expect(error?.details).toBe("there is no “nobody”");
    expect(error?.metadata.get("grpc-status-details-bin")).toHaveLength(1);
  });

  test("a stream, its error in the middle, and a call that is not there", async () => {
    const open = (path: string, cursor: string) =>
      client.makeServerStreamRequest(
        path,
        (message: ReturnType<typeof create<typeof UpdateRequestSchema>>) =>
          Buffer.from(toBinary(UpdateRequestSchema, message)),
        (bytes) => fromBinary(UpdateResponseSchema, bytes),
        create(UpdateRequestSchema, { cursor }),
        metadata(),
      );
    const ticks: number[] = [];
    const read = async (stream: AsyncIterable<unknown>) => {
      for await (const message of stream) ticks.push((message as { tick: number }).tick);
    };
    await expect(read(open("/realmwire.v1.WorldService/Update", "fail"))).rejects.toMatchObject({
      code: grpc.status.UNAVAILABLE,
    });
    expect(ticks).toEqual([1, 2]);
    await expect(read(open("/realmwire.v1.WorldService/Nothing", ""))).rejects.toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
    });
  });
});

test("behind a proxy, callers are told apart by what the proxy says", async () => {
  const proxied = await startRpcServer({
    services: [world],
    connect: { trustedProxies: parseAddresses(["127.0.0.1"]) },
  });
  try {
    await fetch(`${proxied.url}/realmwire.v1.WorldService/Version`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", "x-forwarded-for": "6.6.6.6, 203.0.113.9" },
    });
    expect(peers.at(-1)).toBe("203.0.113.9");
  } finally {
    await proxied.close();
  }
});

test("when the server stops, open streams are told so", async () => {
  const client = createClient(
    WorldService,
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
  );
  const stream = client.update({}, { headers: AUTHORIZED })[Symbol.asyncIterator]();
  await stream.next();
  await stream.next();
  const end = failure(stream.next());
  shutdown.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
  const error = await end;
  expect(error.code).toBe(Code.Unavailable);
  expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.DRAINING);
});
