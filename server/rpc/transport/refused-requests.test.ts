import { create, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { GetRequestSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  type RpcServer,
  startRpcServer,
  TOKENS,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { callByHand, inEnvelope, outcomeOf, UNARY_WIRES } from "../../../test/support/wire.ts";
import type { Wire, WireRequest } from "../../../test/support/wire.ts";
import { detailOf } from "../../../test/support/wire-error.ts";
import { parseAddresses } from "../../addresses.ts";
import { createRequestJudge } from "./broken-requests.ts";

const PATH = "/realmwire.v1.WorldService/Get";
const SLOW_MS = 300;
const PER_MINUTE = 4;

const GOOD = toBinary(GetRequestSchema, create(GetRequestSchema, { name: "ada" }));
const NO_PROTOBUF = Uint8Array.of(0xff, 0xff, 0xff);
const wires = UNARY_WIRES.filter(({ secured }) => !secured);

let server: RpcServer;

async function start(connect: Parameters<typeof startRpcServer>[0]["connect"] = {}) {
  const services = [worldWith({ get: () => ({}) })];
  const { trustedProxies } = connect;
  const judge = createRequestJudge({ perMinute: PER_MINUTE, trustedProxies });
  server = await startRpcServer({
    services,
    connect: { requestTimeoutMs: SLOW_MS, judge, ...connect },
  });
}

beforeEach(() => start());
afterEach(() => server.close());

function requestOf(wire: Wire, message: Uint8Array, more: Partial<WireRequest> = {}): WireRequest {
  return {
    http: wire.http,
    path: PATH,
    body: wire.enveloped ? inEnvelope(message) : message,
    ...more,
    headers: {
      "content-type": wire.contentType,
      authorization: `Bearer ${TOKENS.player}`,
      ...more.headers,
    },
  };
}

const call = (wire: Wire, message: Uint8Array, more?: Partial<WireRequest>) =>
  callByHand(server.url, requestOf(wire, message, more));

describe.each(wires)("$name", (wire) => {
  test("a message that is no Protobuf is the caller's mistake", async () => {
    const answer = await call(wire, NO_PROTOBUF);
    expect(outcomeOf(answer)).toBe("invalid_argument");
    expect(detailOf(answer)?.reason).toBe(ErrorReason.MALFORMED);
  });

  test("too many broken requests are answered so, and good ones are not refused", async () => {
    for (let i = 0; i < PER_MINUTE; i++) {
      expect(outcomeOf(await call(wire, NO_PROTOBUF))).toBe("invalid_argument");
    }
    for (let i = 0; i < 3; i++) {
      const answer = await call(wire, NO_PROTOBUF);
      expect(outcomeOf(answer)).toBe("resource_exhausted");
      const detail = detailOf(answer);
      expect(detail).toMatchObject({
        reason: ErrorReason.TOO_MANY_FAILURES,
        metadata: { what: "requests", limit: String(PER_MINUTE) },
      });
      expect(detail?.retryDelay?.seconds).toBeGreaterThan(0);
      expect(outcomeOf(await call(wire, GOOD))).toBe("ok");
    }
  });

  test("a body without an end is answered after a while", async () => {
    if (wire.http === 1) return;
    for (const body of [GOOD, new Uint8Array(0), NO_PROTOBUF]) {
      const answer = await call(wire, body, { ends: false });
      expect(outcomeOf(answer)).toBe("deadline_exceeded");
      expect(detailOf(answer)).toMatchObject({
        reason: ErrorReason.REQUEST_TOO_SLOW,
        metadata: { limit: String(SLOW_MS / 1000) },
      });
    }
  });
});

test("what is asked for in JSON, compressed or otherwise unusual has the same time", async () => {
  for (const headers of [
    { "content-type": "application/json" },
    { "content-type": "application/proto", "content-encoding": "gzip" },
  ]) {
    const request = { http: 2, path: PATH, ends: false, body: Buffer.from("{"), headers } as const;
    const answer = await callByHand(server.url, request);
    expect(detailOf(answer)?.reason).toBe(ErrorReason.REQUEST_TOO_SLOW);
  }
});

test("a stream whose request was too slow is closed, and the connection goes on", async () => {
  const session = http2.connect(server.url);
  const headers = { ":method": "POST", ":path": PATH, "content-type": "application/proto" };
  const slow = session.request(headers, { endStream: false });
  slow.on("error", () => {});
  slow.resume();
  await once(slow, "close");
  expect(slow.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  const good = session.request({ ...headers, authorization: `Bearer ${TOKENS.player}` });
  good.end(GOOD);
  const [answer] = (await once(good, "response")) as [http2.IncomingHttpHeaders];
  expect(answer[":status"]).toBe(200);
  session.destroy();
});

test("a body without an end that goes to no call keeps no stream open", async () => {
  const session = http2.connect(server.url);
  for (const path of ["/", "/nowhere", "/healthz"]) {
    const stream = session.request({ ":method": "POST", ":path": path }, { endStream: false });
    stream.write("and so on");
    stream.resume();
    await once(stream, "close");
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
  }
  session.destroy();
});

describe("what no protocol speaks", () => {
  const cases: readonly (readonly [string, number, WireRequest])[] = [
    [
      "gRPC-Web as text",
      415,
      { http: 1, path: PATH, headers: { "content-type": "application/grpc-web-text" } },
    ],
    ["a form", 415, { http: 2, path: PATH, headers: { "content-type": "text/plain" } }],
    ["PUT", 405, { http: 1, path: PATH, method: "PUT" }],
    [
      "streams both ways over HTTP/1.1",
      505,
      {
        ...{ http: 1, headers: { "content-type": "application/grpc-web+proto" } },
        path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      },
    ],
  ];
  test.each(cases)("%s is answered with the status and a reason", async (_, status, request) => {
    const answer = await callByHand(server.url, request);
    expect(answer).toMatchObject({ status });
    expect(outcomeOf(answer)).toBe("unimplemented");
    expect(detailOf(answer)?.reason).toBe(ErrorReason.UNSUPPORTED);
  });
});

describe("a host that makes no sense", () => {
  const types = ["application/proto", "application/connect+json", "application/grpc-web+proto"];
  test.each(types)("is answered in %s", async (type) => {
    const headers = { "content-type": type, host: "a b" };
    const answer = await callByHand(server.url, { http: 1, path: PATH, headers });
    expect(outcomeOf(answer)).toBe("invalid_argument");
    expect(detailOf(answer)?.reason).toBe(ErrorReason.MALFORMED);
    if (type !== "application/proto")
      expect(answer).toMatchObject({ headers: { "content-type": type } });
  });

  test("is answered in gRPC", async () => {
    const headers = { "content-type": "application/grpc", ":authority": "[" };
    const answer = await callByHand(server.url, { http: 2, path: PATH, headers });
    expect(outcomeOf(answer)).toBe("invalid_argument");
    expect(detailOf(answer)?.reason).toBe(ErrorReason.MALFORMED);
  });
});

describe("the connection of a client that sends too many broken requests", () => {
  async function sendBroken(count: number, headers: Readonly<Record<string, string>> = {}) {
    const [wire] = wires;
    for (let i = 0; i < count; i++) await call(wire as Wire, NO_PROTOBUF, { headers });
  }

  test("is closed over HTTP/1.1", async () => {
    await sendBroken(PER_MINUTE);
    const socket = net.connect(server.portNumber, "127.0.0.1");
    socket.resume();
    let text = "";
    socket.on("data", (chunk) => (text += String(chunk)));
    const broken = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 1\r\n\r\n\xff`;
    socket.write(broken, "latin1");
    await once(socket, "end");
    expect(text).toMatch(/^HTTP\/1\.1 429 /);
    expect(text.toLowerCase()).toContain("connection: close");
    socket.destroy();
  });

  test("is closed over HTTP/2", async () => {
    await sendBroken(PER_MINUTE);
    const session = http2.connect(server.url);
    const closed = once(session, "close");
    const headers = { ":method": "POST", ":path": PATH, "content-type": "application/proto" };
    const stream = session.request(headers);
    stream.end(NO_PROTOBUF);
    stream.resume();
    const [answer] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    expect(answer[":status"]).toBe(429);
    await closed;
  });

  test("is left open when it is a proxy's, which others use too", async () => {
    await server.close();
    await start({ trustedProxies: parseAddresses(["127.0.0.1"]) });
    const headers = { "x-forwarded-for": "203.0.113.1" };
    await sendBroken(PER_MINUTE, headers);
    const session = http2.connect(server.url);
    const base = { ":method": "POST", ":path": PATH, "content-type": "application/proto" };
    const statuses: unknown[] = [];
    for (const from of ["203.0.113.1", "203.0.113.2", "203.0.113.1"]) {
      const stream = session.request({ ...base, "x-forwarded-for": from });
      stream.end(NO_PROTOBUF);
      stream.resume();
      const [answer] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
      statuses.push(answer[":status"]);
    }
    expect(statuses).toEqual([429, 400, 429]);
    session.destroy();
  });
});
