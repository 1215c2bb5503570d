import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { InputRequestSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { playerHeaders } from "../../../test/support/open-call.ts";
import { INPUT, MAX_BYTES, startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import {
  inEnvelope,
  readParts,
  requestHttp1,
  STREAM_WIRES,
  urlFor,
  type Wire,
} from "../../../test/support/wire.ts";
import { DomainError } from "../../errors.ts";

const PATH = "/realmwire.v1.WorldService/Input";

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

function message(sequence: number): Buffer {
  const kind = { case: "direction" as const, value: { x: 1 } };
  const request = create(InputRequestSchema, { moves: [{ kind, sequence }] });
  return inEnvelope(toBinary(InputRequestSchema, request));
}

/** A client stream that is open, over either version of HTTP. */
interface OpenInput {
  readonly body: NodeJS.WritableStream & { readonly writableLength: number };
  /** Resolves with all that came back. */
  readonly answer: Promise<unknown>;
  /** Gives the call up. */
  leave(): void;
}

function openInput(server: Server, wire: Wire): OpenInput {
  const url = urlFor(server, wire);
  const headers = playerHeaders(wire);
  if (wire.http === 1) {
    const request = requestHttp1(`${url}${PATH}`, { method: "POST", headers, agent: false });
    request.on("error", () => {});
    closers.push(() => request.destroy());
    const answer = once(request, "response").then(async ([response]) =>
      readParts(await readAll(response as NodeJS.ReadableStream)),
    );
    answer.catch(() => {});
    return { body: request, answer, leave: () => void request.destroy() };
  }
  const session = http2.connect(url);
  session.on("error", () => {});
  closers.push(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": PATH, ...headers });
  stream.on("error", () => {});
  let trailers: unknown;
  stream.on("trailers", (received) => (trailers = { ...received }));
  const answer = readAll(stream).then((bytes) => [readParts(bytes), trailers]);
  answer.catch(() => {});
  const leave = () => stream.close(http2.constants.NGHTTP2_CANCEL);
  return { body: stream, answer, leave };
}

async function readAll(from: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(STREAM_WIRES)("a client stream that lasts: $name", (wire) => {
  test("messages are taken as they come", async () => {
    await expectSame(async (server) => {
      const input = openInput(server, wire);
      for (let sequence = 1; sequence <= 3; sequence++) {
        input.body.write(message(sequence));
        await expect.poll(() => server.witness.taken).toBe(sequence);
      }
      input.body.end();
      return await input.answer;
    });
    expect(ways.short.adapted).toBe(0);
  });

  test("the caller goes away", async () => {
    await expectSame(async (server) => {
      const input = openInput(server, wire);
      input.body.write(message(1));
      await expect.poll(() => server.witness.taken).toBe(1);
      input.leave();
      await expect.poll(() => server.witness.closed).toEqual(["input"]);
      await sleep(20);
      return [server.witness.closed, server.log.filter(({ level }) => level === "error")];
    });
  });

  test("the server stops", async () => {
    const both = [openInput(ways.short, wire), openInput(ways.adapter, wire)] as const;
    for (const { body } of both) body.write(message(1));
    await expect.poll(() => [ways.short.witness.taken, ways.adapter.witness.taken]).toEqual([1, 1]);
    shutdown.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
    const [short, adapter] = await Promise.all(both.map(({ answer }) => answer));
    expect(short).toEqual(adapter);
    expect(JSON.stringify(short)).toMatch(/unavailable|"grpc-status":"14"/);
    expect(ways.short.witness.closed).toEqual(["input"]);
  });

  test("a caller that goes on sending after the end disturbs nobody, and its stream is closed", async () => {
    await expectSame(async (server) => {
      const input = openInput(server, wire);
      input.body.write(message(INPUT.refuse + ErrorReason.DRAINING));
      const answer = await input.answer;
      for (let more = 0; more < 20; more++) input.body.write(message(1));
      await sleep(30);
      if (wire.http === 1) input.body.end();
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      return [answer, server.witness];
    });
  });

  test("a call that holds its stream back takes no more from the connection than its buffers hold", async () => {
    const input = openInput(ways.short, wire);
    input.body.write(message(INPUT.forever));
    const large = inEnvelope(Buffer.concat([message(1).subarray(5), padding(MAX_BYTES / 2)]));
    const count = 400;
    for (let sent = 0; sent < count; sent++) input.body.write(large);
    let held = -1;
    while (held !== input.body.writableLength) {
      held = input.body.writableLength;
      await sleep(100);
    }
    expect(ways.short.witness.taken).toBe(1);
    // 10 MB were written: what is not held here is in the buffers of two sockets, of the system and of one window.
    expect(held).toBeGreaterThan((count * large.length) / 4);
  });
});

/** Bytes that buffers hold, once garbage was collected. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().arrayBuffers;
}

function wireOf(name: string): Wire {
  const wire = STREAM_WIRES.find((one) => one.name === name);
  if (wire === undefined) throw new Error(`there is no ${name}`);
  return wire;
}

/** An unknown field of so many bytes. */
function padding(size: number): Buffer {
  const head = [0xba, 0x3e, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(size)]);
}

test("a flood is taken as it comes, and nothing of it stays", async () => {
  const wire = wireOf("gRPC over h2c");
  const input = openInput(ways.short, wire);
  const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => message(1)));
  async function flood(chunks: number): Promise<void> {
    for (let sent = 0; sent < chunks; sent++) {
      if (!input.body.write(chunk)) await once(input.body, "drain");
    }
  }
  await flood(50);
  await expect.poll(() => ways.short.witness.taken, { timeout: 10_000 }).toBe(50_000);
  const before = heldBytes();
  await flood(600);
  await expect.poll(() => ways.short.witness.taken, { timeout: 10_000 }).toBe(650_000);
  // Whatever is still under way between sockets is far less than what came.
  expect(heldBytes() - before).toBeLessThan(100 * chunk.length);
  input.body.end();
  await input.answer;
});

test("streams that are idle hold no timers", async () => {
  const wire = wireOf("gRPC over h2c");
  const first = openInput(ways.short, wire);
  first.body.write(message(1));
  await expect.poll(() => ways.short.witness.taken).toBe(1);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const session = http2.connect(ways.short.url);
  closers.push(() => session.destroy());
  for (let count = 0; count < 50; count++) {
    const stream = session.request({ ":method": "POST", ":path": PATH, ...playerHeaders(wire) });
    stream.on("error", () => {});
    stream.write(message(1));
  }
  await expect.poll(() => ways.short.witness.taken).toBe(51);
  expect(timers() - before).toBeLessThan(5);
});

test("an HTTP/1.1 connection stays usable after client streams, however they ended", async () => {
  await expectSame(async (server) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    closers.push(() => agent.destroy());
    const wire = wireOf("Connect over HTTP/1.1");
    const ports = new Set<number | undefined>();
    const answers: unknown[] = [];
    for (const sequence of [1, INPUT.refuse + ErrorReason.DRAINING, INPUT.bug, 2]) {
      const headers = playerHeaders(wire);
      const request = http.request(`${server.url}${PATH}`, { method: "POST", agent, headers });
      request.write(message(1));
      request.write(message(sequence));
      request.end(message(3));
      const [answer] = (await once(request, "response")) as [http.IncomingMessage];
      ports.add(request.socket?.localPort);
      answers.push(readParts(await readAll(answer)));
    }
    expect(ports.size).toBe(1);
    return answers;
  });
});
