import { once } from "node:events";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FRAME, frame, OPENING, requestHead } from "../../../test/support/http2-frames.ts";
import { type RpcServer, startRpcServer, worldWith } from "../../../test/support/rpc-server.ts";
import { callByHand } from "../../../test/support/wire.ts";
import { createRequestJudge } from "../transport/broken-requests.ts";

const BODY = Buffer.from("{}");
const PATH = "/realmwire.v1.WorldService/Version";
/** How long this server waits for whatever is late. */
const PATIENCE_MS = 400;

let server: RpcServer;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  server = await startRpcServer({
    services: [worldWith({ version: () => ({ server: "here" }) })],
    pipeline: { now: endlessTime() },
    connect: {
      requestTimeoutMs: PATIENCE_MS,
      judge: createRequestJudge({ perMinute: 1_000_000_000 }),
    },
    port: {
      firstBytesTimeoutMs: PATIENCE_MS,
      idleSessionTimeoutMs: 4 * PATIENCE_MS,
      http1: {
        headersTimeout: PATIENCE_MS,
        requestTimeout: PATIENCE_MS,
        keepAliveTimeout: PATIENCE_MS,
        connectionsCheckingInterval: 50,
      },
    },
  });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

/** Every call comes a second after the one before: no limit is reached. */
function endlessTime(): () => number {
  let time = 0;
  return () => (time += 1_000);
}

async function open(): Promise<Socket> {
  const socket = net.connect({ port: server.portNumber, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  socket.resume();
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** Waits until more can be written, or never any more, or the server has not read for a while. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.once("drain", end);
    socket.once("close", end);
  });
}

/** Somebody else is served, and nothing was logged that anybody would have to look at. */
async function expectWell(): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await callByHand(server.url, { http: 1, path: PATH, body: BODY, headers });
  expect(answer).toMatchObject({ status: 200 });
  const troubles = server.log.filter(({ level }) => level === "warn" || level === "error");
  expect(troubles).toEqual([]);
}

/** How a client goes. */
const endings = fc.constantFrom("ends", "resets", "is gone", "waits");
const bytes = fc.uint8Array({ maxLength: 200 });
const HEAD = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 0\r\n\r\n`;

/** A request of HTTP/1.1 with some of its bytes changed. */
const changedHeads = fc
  .array(fc.tuple(fc.nat(HEAD.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
  .map((changes) => {
    const head = Buffer.from(HEAD);
    for (const [at, byte] of changes) head[at] = byte;
    return [head];
  });

/** Frames of HTTP/2 in no order, some behind the head of a good request. */
const frames = fc
  .array(
    fc.record({
      type: fc.nat(12),
      flags: fc.nat(255),
      stream: fc.constantFrom(0, 1, 1, 3, 2, 0x7fff_ffff),
      payload: bytes,
      lies: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((drawn) => [
    OPENING,
    requestHead(PATH, 1),
    ...drawn.map(({ lies, ...options }) =>
      frame({ ...options, ...(lies && { length: options.payload.length + 5 }) }),
    ),
  ]);

test.each([
  ["bytes", fc.array(bytes, { maxLength: 4 })],
  ["HTTP/1.1 with other bytes in it", changedHeads],
  ["frames of HTTP/2 that make no sense", frames],
] as const)("%s: whatever comes, it is over soon and nobody else notices", async (_, pieces) => {
  const property = fc.asyncProperty(pieces, endings, async (drawn, ending) => {
    const socket = await open();
    for (const piece of drawn) socket.write(piece);
    if (ending === "ends") socket.end();
    else if (ending === "resets") socket.resetAndDestroy();
    else if (ending === "is gone") socket.destroy();
  });
  await fc.assert(property, { numRuns: 150 });
  await expectWell();
  // Those who wait are sent away, too.
  await expect.poll(() => server.port.connections, { timeout: 10_000 }).toBe(0);
});

/** HEADERS that announce more of themselves (RFC 9113, 6.2). */
const endlessHeaders = frame({ type: 1, flags: 0, stream: 3, payload: Uint8Array.of(0x82) });

test.each([
  ["alone", [OPENING, endlessHeaders]],
  ["behind a call that is open", [OPENING, requestHead(PATH, 1), endlessHeaders]],
])("a block of headers that never ends is not waited for, %s", async (_, pieces) => {
  const socket = await open();
  for (const piece of pieces) socket.write(piece);
  await closed(socket);
  await expectWell();
});

test("who sends a byte now and then is sent away, whatever it is a part of, and others are served meanwhile", async () => {
  const beginnings = [
    "",
    "PR",
    "POST ",
    HEAD.replace("Length: 0", "Length: 1000"),
    Buffer.concat([
      OPENING,
      requestHead(PATH, 1),
      frame({ type: FRAME.data, stream: 1, length: 900 }),
    ]),
  ];
  const all = await Promise.all(
    Array.from({ length: 40 }, async (__, i) => {
      const socket = await open();
      const isHttp2 = i % beginnings.length === beginnings.length - 1;
      let answer = "";
      socket.on("data", (chunk) => (answer += String(chunk)));
      socket.write(beginnings[i % beginnings.length] ?? "");
      const timer = setInterval(() => socket.write("x"), 100);
      socket.once("close", () => clearInterval(timer));
      return { socket, isHttp2, answer: () => answer };
    }),
  );
  for (let i = 0; i < 10; i++) {
    await expectWell();
    await sleep(20);
  }
  // Over HTTP/2 it is the call that is answered and ended; the connection is another matter.
  await Promise.all(all.filter(({ isHttp2 }) => !isHttp2).map(({ socket }) => closed(socket)));
  for (const { isHttp2, answer } of all) {
    if (isHttp2) await expect.poll(answer, { timeout: 5_000 }).toContain("did not arrive within");
  }
});

test("who closes its half gets its answer, or is gone", async () => {
  const half = await open();
  let answer = "";
  half.on("data", (chunk) => (answer += String(chunk)));
  half.end(HEAD);
  await closed(half);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  const early = await open();
  early.end(HEAD.slice(0, 40));
  await closed(early);
  const body = await open();
  body.end(HEAD.replace("Length: 0", "Length: 10"));
  await closed(body);
  await expectWell();
});

/** What floods a connection: so many frames, of which each is made of its number. */
const FLOODS: readonly (readonly [string, number, (i: number) => Buffer])[] = [
  [
    "streams that are reset at once",
    10_000,
    (i) => {
      const stream = 2 * i + 1;
      const payload = Buffer.of(0, 0, 0, 8);
      const reset = frame({ type: FRAME.resetStream, stream, payload });
      return Buffer.concat([requestHead(PATH, stream, { ends: true }), reset]);
    },
  ],
  ["streams that never end", 10_000, (i) => requestHead(PATH, 2 * i + 1)],
  ["pings", 50_000, () => frame({ type: FRAME.ping, payload: Buffer.alloc(8) })],
  ["settings", 50_000, () => frame({ type: FRAME.settings })],
  ["windows", 50_000, () => frame({ type: FRAME.windowUpdate, payload: Buffer.of(0, 0, 0, 1) })],
  [
    "headers that never end",
    5_000,
    (i) =>
      i === 0
        ? frame({ type: FRAME.headers, stream: 1 })
        : frame({ type: FRAME.continuation, stream: 1, payload: Buffer.alloc(1_000) }),
  ],
  [
    "empty data",
    50_000,
    (i) => (i === 0 ? requestHead(PATH, 1) : frame({ type: FRAME.data, stream: 1 })),
  ],
];

test.each(FLOODS)(
  "a flood of %s harms nobody else, and is not remembered",
  async (_, count, make) => {
    const before = heapBytes();
    const socket = await open();
    socket.pause();
    socket.write(OPENING);
    for (let i = 0; i < count && !socket.closed; i++) {
      if (!socket.write(make(i))) await drained(socket);
      if (i % 2_000 === 0) await expectWell();
    }
    await expectWell();
    socket.destroy();
    await expect.poll(() => server.port.connections, { timeout: 5_000 }).toBe(0);
    expect(heapBytes() - before).toBeLessThan(8 * 1024 * 1024);
  },
);

test("after thousands of broken requests there is no more in memory than after the first ones", async () => {
  const session = http2.connect(server.url);
  const types = ["application/proto", "application/json", "application/grpc", "text/plain"];
  async function round(count: number): Promise<void> {
    const answers = Array.from({ length: count }, async (_, i) => {
      const headers = { "content-type": types[i % types.length] ?? "" };
      const stream = session.request({ ":method": "POST", ":path": PATH, ...headers });
      stream.on("error", () => {});
      stream.resume();
      stream.end(Buffer.from([0xff, 0xff, i % 256, 0xff]));
      await once(stream, "close");
    });
    await Promise.all(answers);
  }
  for (let i = 0; i < 10; i++) await round(100);
  const before = heapBytes();
  for (let i = 0; i < 40; i++) await round(100);
  expect(heapBytes() - before).toBeLessThan(4 * 1024 * 1024);
  session.destroy();
  await expectWell();
});

/** What is held, once all that can go has gone. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
