import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import {
  GetRequestSchema,
  UpdateRequestSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { TOKENS } from "../../test/support/rpc-server.ts";
import { MAX_BYTES, startTwoWays, type TwoWays } from "../../test/support/two-ways.ts";
import {
  inEnvelope,
  readParts,
  STREAM_WIRES,
  UNARY_WIRES,
  type Wire,
  type WirePart,
} from "../../test/support/wire.ts";
import { DomainError } from "../errors.ts";

const GET = "/realmwire.v1.WorldService/Get";
const UPDATE = "/realmwire.v1.WorldService/Update";

let ways: TwoWays;
let shutdown: AbortController;
const closers: (() => void)[] = [];

beforeEach(async () => {
  shutdown = new AbortController();
  ways = await startTwoWays({ connect: { shutdownSignal: shutdown.signal } });
});

afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await ways.close();
});

type Server = TwoWays["short"];

/** Does the same both ways, and expects the same to come of it. */
async function expectSame<T>(act: (server: Server) => Promise<T>): Promise<T> {
  const [short, adapter] = await Promise.all([act(ways.short), act(ways.adapter)]);
  expect(short).toEqual(adapter);
  return short;
}

function get(name: string): Buffer {
  return Buffer.from(toBinary(GetRequestSchema, create(GetRequestSchema, { name })));
}

function update(cursor: string): Buffer {
  return Buffer.from(toBinary(UpdateRequestSchema, create(UpdateRequestSchema, { cursor })));
}

function framed(wire: Wire, message: Buffer): Buffer {
  return wire.enveloped ? inEnvelope(message) : message;
}

function headersOf(wire: Wire): Record<string, string> {
  return { "content-type": wire.contentType, authorization: `Bearer ${TOKENS.player}` };
}

async function connect({ portNumber }: Server): Promise<Socket> {
  const socket = net.connect({ port: portNumber, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  closers.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** A request of HTTP/1.1 as text, with its length. */
function http1Request(path: string, type: string, body: Buffer, more = ""): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: x",
    `Content-Type: ${type}`,
    `Authorization: Bearer ${TOKENS.player}`,
    `Content-Length: ${body.length}`,
    `${more}\r\n`,
  ].join("\r\n");
  return Buffer.concat([Buffer.from(head), body]);
}

/** All that comes from a socket until it is closed, or until it matches. Without dates. */
async function readUntil(socket: Socket, pattern?: RegExp): Promise<string> {
  let text = "";
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += (chunk as Buffer).toString("latin1");
      if (pattern?.test(text)) break;
    }
  } catch (error) {
    text += String((error as NodeJS.ErrnoException).code);
  }
  return text.replaceAll(/Date: .*\r\n/g, "");
}

/** The statuses, connection headers and bodies of whole answers, as far as they do not depend on how they are transferred. */
function statusesOf(text: string): string[] {
  return text.match(/HTTP\/1\.1 \d+/g) ?? [];
}

describe("HTTP/1.1 to the byte", () => {
  const UNARY = "application/proto";

  test.each([
    ["no host", "HTTP/1.1\r\n"],
    ["a host with a space", "HTTP/1.1\r\nHost: a b\r\n"],
    ["half an address", "HTTP/1.1\r\nHost: [\r\n"],
    ["a port that is none", "HTTP/1.1\r\nHost: a:99999\r\n"],
    ["an address that is none", "HTTP/1.1\r\nHost: 300.300.300.300\r\n"],
    ["an empty host", "HTTP/1.1\r\nHost:\r\n"],
    ["two hosts", "HTTP/1.1\r\nHost: a\r\nHost: b\r\n"],
    ["HTTP/1.0 without a host", "HTTP/1.0\r\n"],
    ["HTTP/1.0", "HTTP/1.0\r\nHost: x\r\n"],
    ["a user before the host", "HTTP/1.1\r\nHost: me@x\r\n"],
  ])("%s", async (_, rest) => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const body = get("x").toString("latin1");
      socket.write(
        `POST ${GET} ${rest}Content-Type: ${UNARY}\r\nAuthorization: Bearer ${TOKENS.player}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        "latin1",
      );
      const text = await readUntil(socket);
      return { statuses: statusesOf(text), body: text.slice(text.indexOf("\r\n\r\n")) };
    });
    expect(answer.statuses).toHaveLength(1);
  });

  test("requests on one connection, one after the other and all at once", async () => {
    const text = await expectSame(async (server) => {
      const socket = await connect(server);
      const names = ["a", "reason:7", "bug", "b"];
      const requests = names.map((name) => http1Request(GET, UNARY, get(name)));
      for (const request of requests) {
        socket.write(request);
        await readUntil(socket, /\r\n\r\n./s);
      }
      socket.write(Buffer.concat(requests));
      return statusesOf(await readUntil(socket, /(HTTP[^]*){4}b$/));
    });
    expect(text).toEqual([200, 403, 500, 200].map((status) => `HTTP/1.1 ${status}`));
  });

  test.each(STREAM_WIRES.filter((wire) => wire.http === 1))(
    "a connection stays usable after a stream has ended: $name",
    async (wire) => {
      const bodies = await expectSame(async (server) => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        closers.push(() => agent.destroy());
        const results: unknown[] = [];
        const ports = new Set<number | undefined>();
        for (const cursor of ["", "large:30000", "fail:7", "reason:7", "nothing", ""]) {
          const request = http.request(`${server.url}${UPDATE}`, {
            ...{ method: "POST", agent, headers: headersOf(wire) },
          });
          request.end(framed(wire, update(cursor)));
          const [answer] = (await once(request, "response")) as [http.IncomingMessage];
          ports.add(request.socket?.localPort);
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk as Buffer);
          results.push(readParts(Buffer.concat(chunks)));
        }
        expect(ports.size).toBe(1);
        return results;
      });
      expect(bodies).toHaveLength(6);
      expect(bodies[0]).toHaveLength(4);
    },
  );

  test("a request that comes while an answer is written waits for its turn", async () => {
    const answers = await expectSame(async (server) => {
      const socket = await connect(server);
      const stream = inEnvelope(update("large:30000"));
      socket.write(
        Buffer.concat([
          http1Request(UPDATE, "application/connect+proto", stream),
          http1Request(GET, UNARY, get("last")),
        ]),
      );
      return statusesOf(await readUntil(socket, /last$/));
    });
    expect(answers).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
  });

  test("a stream that waits behind another is closed with its connection", async () => {
    const socket = await connect(ways.short);
    const stream = (cursor: string) =>
      http1Request(UPDATE, "application/connect+proto", inEnvelope(update(cursor)));
    socket.write(Buffer.concat([stream("wait:1"), stream("wait:2"), stream("wait:3")]));
    await expect.poll(() => ways.short.witness.given).toBe(9);
    socket.destroy();
    await expect
      .poll(() => ways.short.witness.closed.toSorted())
      .toEqual(["wait:1", "wait:2", "wait:3"]);
  });

  test("a caller that closes its half is treated the same", async () => {
    await expectSame(async (server) => {
      const socket = net.connect({
        port: server.portNumber,
        host: "127.0.0.1",
        allowHalfOpen: true,
      });
      socket.on("error", () => {});
      closers.push(() => socket.destroy());
      socket.end(http1Request(GET, UNARY, get("wait:x")));
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      return statusesOf(await readUntil(socket));
    });
  });

  test("a caller that closes its half within its request is told so, and the server lives on", async () => {
    await expectSame(async (server) => {
      const socket = net.connect({
        port: server.portNumber,
        host: "127.0.0.1",
        allowHalfOpen: true,
      });
      socket.on("error", () => {});
      closers.push(() => socket.destroy());
      socket.end(http1Request(GET, UNARY, get("never whole")).subarray(0, -3));
      return statusesOf(await readUntil(socket));
    });
    expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
  });

  test("a body without end that is too large is refused before its end", async () => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const size = MAX_BYTES + 10;
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      );
      socket.write(Buffer.alloc(size));
      const text = await readUntil(socket, /readMaxBytes \d+/);
      return statusesOf(text);
    });
    expect(answer).toEqual(["HTTP/1.1 429"]);
  });

  test("after a refused body the connection takes the next request, or is closed", async () => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const size = 10 * MAX_BYTES;
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      );
      socket.write(Buffer.alloc(size));
      socket.write("\r\n0\r\n\r\n");
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      return statusesOf(await readUntil(socket));
    });
    expect(answer).toEqual(["HTTP/1.1 429", "HTTP/1.1 401"]);
  });
});

interface OpenStream {
  /** Waits until so many parts have come, or the end. */
  parts(count: number): Promise<WirePart[]>;
  pause(): void;
  resume(): void;
  /** Goes away. */
  leave(): void;
  readonly trailers: Record<string, unknown>;
}

/** Opens a call and reads what comes. */
async function open(
  server: Server,
  wire: Wire,
  path: string,
  body: Buffer,
  headers = {},
): Promise<OpenStream> {
  const all = { ...headersOf(wire), ...headers };
  let bytes = Buffer.alloc(0);
  let ended = false;
  const trailers: Record<string, unknown> = {};
  function listen(answer: NodeJS.ReadableStream): void {
    answer.on("data", (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
    answer.on("end", () => (ended = true));
    answer.on("error", () => (ended = true));
  }
  let readable: NodeJS.ReadableStream | undefined;
  let leave: () => void;
  if (wire.http === 1) {
    const request = http.request(`${server.url}${path}`, {
      method: "POST",
      headers: all,
      agent: false,
    });
    request.on("error", () => {});
    request.on("response", (answer) => listen((readable = answer)));
    request.end(body);
    leave = () => request.destroy();
  } else {
    const session = http2.connect(server.url);
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": path, ...all });
    stream.on("error", () => {});
    stream.on("trailers", (received) => Object.assign(trailers, received));
    listen((readable = stream));
    stream.end(body);
    leave = () => stream.close(http2.constants.NGHTTP2_CANCEL);
    closers.push(() => session.destroy());
  }
  closers.push(() => leave());
  return {
    trailers,
    leave: () => leave(),
    pause: () => void readable?.pause(),
    resume: () => void readable?.resume(),
    async parts(count) {
      await expect.poll(() => ended || countParts(bytes) >= count, { timeout: 5_000 }).toBe(true);
      return readParts(bytes.subarray(0, wholeParts(bytes)));
    },
  };
}

function wholeParts(bytes: Buffer): number {
  let at = 0;
  while (at + 5 <= bytes.length) {
    const next = at + 5 + bytes.readUInt32BE(at + 1);
    if (next > bytes.length) break;
    at = next;
  }
  return at;
}

function countParts(bytes: Buffer): number {
  return readParts(bytes.subarray(0, wholeParts(bytes))).length;
}

describe.each(STREAM_WIRES)("a stream that lasts: $name", (wire) => {
  const stream = (server: Server, cursor: string, headers = {}) =>
    open(server, wire, UPDATE, inEnvelope(update(cursor)), headers);
  const soon = { [wire.timeoutHeader]: wire.timeoutValue(150) };

  test("the server stops", async () => {
    const opened = await Promise.all([stream(ways.short, "wait"), stream(ways.adapter, "wait")]);
    for (const one of opened) expect(await one.parts(3)).toHaveLength(3);
    shutdown.abort(
      new DomainError(ErrorReason.DRAINING, "the server is stopping", { retryDelayMs: 5_000 }),
    );
    const [short, adapter] = await Promise.all(opened.map((one) => one.parts(99)));
    await expect.poll(() => opened[0].trailers).toEqual(opened[1].trailers);
    expect(short).toEqual(adapter);
    expect(JSON.stringify([short?.slice(3), opened[0].trailers])).toMatch(
      /unavailable|"grpc-status":"14"/,
    );
    expect(JSON.stringify([short?.slice(3), opened[0].trailers])).toMatch(
      new RegExp(`${ErrorDetailSchema.typeName}|grpc-status-details-bin`),
    );
    expect(ways.short.witness.closed).toEqual(["wait"]);
    expect(ways.adapter.witness.closed).toEqual(["wait"]);
  });

  test("a deadline passes in the middle", async () => {
    const parts = await expectSame(async (server) => {
      const opened = await stream(server, "wait", soon);
      return { parts: await opened.parts(99), trailers: opened.trailers };
    });
    expect(parts.parts.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(parts)).toMatch(/deadline_exceeded|"grpc-status":"4"/);
    expect(ways.short.witness.closed).toEqual(["wait"]);
  });

  test("the caller goes away", async () => {
    await expectSame(async (server) => {
      const opened = await stream(server, "wait");
      await opened.parts(3);
      opened.leave();
      await expect.poll(() => server.witness.closed).toEqual(["wait"]);
      await sleep(20);
      return server.witness.closed;
    });
  });

  test("the caller goes away before the stream was opened", async () => {
    await expectSame(async (server) => {
      const opened = await stream(server, "late");
      await sleep(50);
      opened.leave();
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      await expect.poll(() => server.witness.closed).toEqual(["late"]);
      return true;
    });
  });

  test("a caller that does not read holds the stream back, and its deadline ends it", async () => {
    const opened = await stream(ways.short, "flood:30000", {
      [wire.timeoutHeader]: wire.timeoutValue(1_500),
    });
    await opened.parts(1);
    opened.pause();
    let held = -1;
    while (held !== ways.short.witness.given) {
      held = ways.short.witness.given;
      await sleep(150);
    }
    // 30 kB each: what the buffers of two sockets hold, and no more.
    expect(held).toBeLessThan(500);
    opened.resume();
    await expect.poll(() => ways.short.witness.given).toBeGreaterThan(held + 20);
    opened.pause();
    await expect.poll(() => ways.short.witness.closed, { timeout: 5_000 }).toEqual(["flood:30000"]);
  });

  test("a stream that always has more leaves time for others", async () => {
    const opened = await stream(ways.short, "flood:1");
    await opened.parts(1);
    expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
    opened.leave();
    await expect.poll(() => ways.short.witness.closed).toEqual(["flood:1"]);
  });
});

describe.each(UNARY_WIRES)("a unary call: $name", (wire) => {
  test("the caller goes away, and its handler is told", async () => {
    await expectSame(async (server) => {
      const opened = await open(server, wire, GET, framed(wire, get("wait:x")));
      await sleep(50);
      opened.leave();
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      return server.log.filter(({ level }) => level === "error");
    });
  });

  test("the server stops", async () => {
    const opened = await Promise.all([
      open(ways.short, wire, GET, framed(wire, get("wait:x"))),
      open(ways.adapter, wire, GET, framed(wire, get("wait:x"))),
    ]);
    await sleep(50);
    shutdown.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
    await expect.poll(() => ways.short.witness.aborted).toHaveLength(1);
    await expect.poll(() => ways.adapter.witness.aborted).toHaveLength(1);
    if (wire.enveloped) {
      const [short, adapter] = await Promise.all(opened.map((one) => one.parts(99)));
      expect(short).toEqual(adapter);
    }
    await expect.poll(() => opened[0].trailers).toEqual(opened[1].trailers);
  });
});

test("connections that break at any moment disturb nobody", async () => {
  for (const wire of STREAM_WIRES) {
    for (let step = 0; step < 30; step++) {
      const cursor = ["flood:9000", "wait", "fail:7", "late"][step % 4] ?? "";
      const opened = await open(ways.short, wire, UPDATE, inEnvelope(update(cursor)));
      await sleep(step / 5);
      opened.leave();
    }
  }
  expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
  for (const close of closers.splice(0)) close();
  // The one of `fetch` is kept alive.
  await expect.poll(() => ways.short.port.connections).toBeLessThan(2);
  expect(ways.short.log.filter(({ level }) => level === "error")).toEqual([]);
});
