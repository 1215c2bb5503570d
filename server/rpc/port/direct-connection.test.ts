import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  http1Request,
  openSocket,
  type RawAnswer,
  readAnswers,
  readUntil,
} from "../../../test/support/raw-http1.ts";
import {
  getBytes,
  startTwoWays,
  type TwoWays,
  updateBytes,
} from "../../../test/support/two-ways.ts";
import { CALL_ID, inEnvelope } from "../../../test/support/wire.ts";
import { createRandom, randomStateOf } from "../../sim/random.ts";
import { createRequestJudge } from "../transport/broken-requests.ts";
import { MAX_TEXT_BYTES } from "../transport/direct-http1-answer.ts";
import { MAX_EARLY_BYTES } from "./direct-connection.ts";
import { KEEP_ALIVE_BUFFER_MS } from "./port-servers.ts";

const GET = "/realmwire.v1.WorldService/Get";
const UPDATE = "/realmwire.v1.WorldService/Update";
const PROTO = "application/proto";
const GRPC_WEB = "application/grpc-web+proto";
/** Or else errors would differ in the name of their call. */
const ID = Object.entries(CALL_ID)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");
/** What Node's server alone reads, and nobody looks at. */
const UNUSUAL = "X-Odd: a\r\nX-Odd: b\r\n";

type Server = TwoWays["short"];

let ways: TwoWays;
const closers: (() => unknown)[] = [];

const GOOD_ORIGIN = "https://good.example";
const ORIGINS = { front: { allowedOrigins: [GOOD_ORIGIN] } };

beforeEach(async () => {
  ways = await startTwoWays(ORIGINS);
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await ways.close();
});

async function restart(options: Parameters<typeof startTwoWays>[0]): Promise<void> {
  await ways.close();
  ways = await startTwoWays(options);
}

async function open(
  { portNumber }: Server,
  options?: Parameters<typeof openSocket>[1],
): Promise<Socket> {
  const socket = await openSocket(portNumber, options);
  closers.push(() => socket.destroy());
  return socket;
}

function plain(name: string, more = ""): Buffer {
  return http1Request(GET, PROTO, getBytes(name), `${ID}${more}`);
}

function json(name: string): Buffer {
  return http1Request(GET, "application/json", Buffer.from(JSON.stringify({ name })), ID);
}

function stream(cursor: string): Buffer {
  return http1Request(UPDATE, "application/connect+proto", inEnvelope(updateBytes(cursor)), ID);
}

/** Sends requests at once and reads their answers. */
async function ask(socket: Socket, ...requests: readonly Buffer[]): Promise<RawAnswer[]> {
  socket.write(Buffer.concat(requests));
  return await readAnswers(socket, requests.length);
}

async function isClosed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, "close");
}

/** Waits until something has stayed the same for a while. */
async function settled(read: () => number): Promise<number> {
  for (let before = Number.NaN; ; await sleep(150)) {
    const now = read();
    if (now === before) return now;
    before = now;
  }
}

describe.each([false, true])("a plain request, with TLS: %s", (secured) => {
  const requests: [string, Buffer, string][] = [
    ["an answer", getBytes("ada"), PROTO],
    ["an answer of nothing", getBytes("deaf:0"), PROTO],
    ["an answer that is just short", getBytes(`large:${MAX_TEXT_BYTES - 20}`), PROTO],
    ["an answer that is long", getBytes(`large:${MAX_TEXT_BYTES + 1}`), PROTO],
    ["an answer that does not go out at once", getBytes("large:3000000"), PROTO],
    ["an error with details", getBytes("reason:7"), PROTO],
    ["a bug", getBytes("bug"), PROTO],
    ["an error with headers", getBytes("connect"), PROTO],
    ["an error with a header that answers have anyway", getBytes("vary"), PROTO],
    ["an error with half a letter", getBytes("surrogate"), PROTO],
    ["an answer that does not fit", getBytes("misfit"), PROTO],
    ["an answer in gRPC-Web", inEnvelope(getBytes("ada")), GRPC_WEB],
    ["an error in gRPC-Web", inEnvelope(getBytes("reason:7")), GRPC_WEB],
    ["an empty body", Buffer.alloc(0), PROTO],
  ];

  test.each(requests)("is answered directly, to the byte as by Node: %s", async (_, body, type) => {
    const { short } = ways;
    const direct = await open(short, { secured });
    const indirect = await open(short, { secured });
    for (const origin of ["", `Origin: ${GOOD_ORIGIN}\r\n`, "Origin: https://bad.example\r\n"]) {
      const before = short.direct;
      const request = http1Request(GET, type, body, `${ID}${origin}`);
      const answers = await ask(direct, request);
      expect(short.direct - before).toBe(1);
      const unusual = http1Request(GET, type, body, `${ID}${origin}${UNUSUAL}`);
      expect(await ask(indirect, unusual)).toEqual(answers);
      expect(short.direct - before).toBe(1);
    }
  });

  test("is answered to the byte as by Node, of whichever length its answer is around that of short ones", async () => {
    const direct = await open(ways.short, { secured });
    const indirect = await open(ways.short, { secured });
    const lengths = new Set<number>();
    for (let length = MAX_TEXT_BYTES - 30; length <= MAX_TEXT_BYTES; length++) {
      const [answer] = await ask(direct, plain(`large:${length}`));
      lengths.add(answer?.body.length ?? 0);
      expect(await ask(indirect, plain(`large:${length}`, UNUSUAL))).toEqual([answer]);
    }
    expect([...lengths]).toEqual(expect.arrayContaining([MAX_TEXT_BYTES, MAX_TEXT_BYTES + 1]));
    expect(ways.short.direct).toBe(lengths.size);
  });

  test("is answered with leave for pages of allowed origins alone", async () => {
    const socket = await open(ways.short, { secured });
    const [good, bad, none] = await ask(
      socket,
      plain("a", `Origin: ${GOOD_ORIGIN}\r\n`),
      plain("a", "Origin: https://bad.example\r\n"),
      plain("a"),
    );
    expect(good?.head).toContain(`access-control-allow-origin: ${GOOD_ORIGIN}`);
    expect(bad?.head.join()).not.toContain("access-control");
    expect(bad?.head).toContain("vary: Origin");
    expect(none?.head.join()).not.toMatch(/access-control|vary/);
    expect(ways.short.direct).toBe(3);
  });

  test("is answered directly after others, and even after all that the connection ever gets", async () => {
    const socket = await open(ways.short, { secured });
    for (let i = 1; i <= 30; i++) {
      const [answer] = await ask(
        socket,
        plain(`name ${i}`, i % 7 === 0 ? "X-Other: head\r\n" : ""),
      );
      expect(answer?.body).toContain(`name ${i}`);
      expect(ways.short.direct).toBe(i);
    }
    expect(ways.short.adapted).toBe(0);
  });

  test("is answered by Node after anything else, and in the same way", async () => {
    const socket = await open(ways.short, { secured });
    const before = await ask(socket, plain("a"), plain("reason:7"), plain("b"));
    expect(ways.short.direct).toBe(3);
    const [other] = await ask(socket, json("c"));
    expect(other).toMatchObject({ status: 200 });
    expect(await ask(socket, plain("a"), plain("reason:7"), plain("b"))).toEqual(before);
    expect(ways.short.direct).toBe(3);
  });

  test("is answered in its turn, whatever else comes in the same piece", async () => {
    const random = createRandom(randomStateOf("pipelines"));
    const kinds: readonly ((i: number) => Buffer)[] = [
      (i) => plain(`plain ${i}`),
      (i) => plain(`plain ${i}`),
      (i) => plain(`plain ${i}`),
      () => plain("reason:7"),
      () => plain("large:3000"),
      () => plain(`deaf:${random.below(20)}`),
      (i) => plain(`odd ${i}`, UNUSUAL),
      (i) => json(`json ${i}`),
      () => stream("large:30"),
      () => Buffer.from("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
      () => Buffer.from(`OPTIONS ${GET} HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n`),
    ];
    for (let length = 2; length <= 20; length++) {
      const requests = Array.from({ length }, (_, i) => random.pick(kinds)(i));
      const answer = async (server: Server) => {
        const answers = await ask(await open(server, { secured }), ...requests);
        return answers.map(({ status, body }) => ({ status, body }));
      };
      const [short, adapter] = await Promise.all([answer(ways.short), answer(ways.adapter)]);
      expect(short).toHaveLength(length);
      expect(short).toEqual(adapter);
    }
    expect(ways.short.direct).toBeGreaterThan(10);
  });

  test("waits while another is answered", async () => {
    const socket = await open(ways.short, { secured });
    socket.write(plain("deaf:1000"));
    await expect.poll(() => ways.short.direct).toBe(1);
    socket.write(plain("second"));
    const third = plain("third");
    socket.write(third.subarray(0, 40));
    await sleep(30);
    expect(ways.short.direct).toBe(1);
    socket.write(third.subarray(40));
    const answers = await readAnswers(socket, 3);
    expect(answers.map(({ body }) => /second|third/.exec(body)?.[0])).toEqual([
      ...[undefined, "second", "third"],
    ]);
    expect(ways.short.direct).toBe(3);
  });

  test("that comes half while another is answered is answered too", async () => {
    const socket = await open(ways.short, { secured });
    const second = plain("second");
    socket.write(Buffer.concat([plain("deaf:30"), second.subarray(0, -2)]));
    expect(await readAnswers(socket, 1)).toMatchObject([{ status: 200 }]);
    const [answer] = await ask(socket, second.subarray(-2));
    expect(answer?.body).toContain("second");
  });

  test.each([
    ["alone", 0],
    ["with requests behind it", 3],
  ])("is given up when its client goes away, %s", async (_, behind) => {
    for (const server of [ways.short, ways.adapter]) {
      const received = () => server.port.traffic.receivedBytes;
      const socket = await open(server, { secured });
      socket.write(plain("wait:x"));
      await expect.poll(() => server.witness.waiting).toBe(1);
      for (let i = 0; i < behind; i++) {
        const before = received();
        socket.write(plain("behind"));
        await expect.poll(received).toBeGreaterThan(before);
      }
      socket.end();
      await expect.poll(() => server.witness.aborted).toEqual(["x 1"]);
      await isClosed(socket);
    }
    expect(ways.short.direct).toBe(1);
  });

  test("is answered though its client closes its half right behind it, as by Node", async () => {
    for (const more of ["", UNUSUAL]) {
      const socket = await open(ways.short, { secured });
      socket.end(plain("last words", more));
      expect(await readUntil(socket)).toContain("last words");
    }
    expect(ways.short.direct).toBe(1);
  });

  test("that makes no sense is told so as by Node, and counts as broken", async () => {
    await restart({ connect: { judge: createRequestJudge({ perMinute: 3 }) } });
    const broken = (more = "") => http1Request(GET, PROTO, Buffer.of(0xff, 0xff), `${ID}${more}`);
    const answers: RawAnswer[] = [];
    for (const more of ["", UNUSUAL, ""]) {
      const socket = await open(ways.short, { secured });
      answers.push(...(await ask(socket, plain("fine"), broken(more), plain("fine"))));
    }
    expect(answers.map(({ status }) => status)).toEqual([
      ...[200, 400, 200],
      ...[200, 400, 200],
      ...[200, 400, 200],
    ]);
    expect(answers[4]).toEqual(answers[1]);
    expect(answers[7]).toEqual(answers[1]);
    const socket = await open(ways.short, { secured });
    const last = await ask(socket, broken());
    expect(last).toMatchObject([{ status: 429 }]);
    await isClosed(socket);
  });

  test("whose answer cannot be written is cut off as by Node", async () => {
    const logged = [];
    for (const more of ["", UNUSUAL]) {
      const socket = await open(ways.short, { secured });
      socket.write(plain("unwritable", more));
      expect(await readUntil(socket)).toBe("");
      logged.push(ways.short.log.at(-1));
    }
    expect(ways.short.direct).toBe(1);
    expect(logged[0]).toMatchObject({ level: "error", message: "an answer broke off" });
    expect(logged[1]).toMatchObject({ level: "error", message: "an answer broke off" });
  });
});

test("a request in two pieces is answered, wherever it is cut", async () => {
  const request = plain("cut");
  const cuts = Array.from({ length: request.length - 1 }, (_, i) => i + 1);
  const sockets = await Promise.all(cuts.map(() => open(ways.short)));
  const [expected] = await ask(await open(ways.short), request);
  const received = () => ways.short.port.traffic.receivedBytes;
  const ahead = plain("ahead");
  let wanted = received();
  for (const [i, socket] of sockets.entries()) {
    const piece = request.subarray(0, cuts[i]);
    // Every other is not the first on its connection.
    const first = i % 2 === 0 ? piece : Buffer.concat([ahead, piece]);
    wanted += first.length;
    socket.write(first);
  }
  await expect.poll(received).toBe(wanted);
  await Promise.all(
    sockets.map(async (socket, i) => {
      socket.write(request.subarray(cuts[i]));
      const answers = await readAnswers(socket, 1 + (i % 2));
      expect(answers.at(-1), `cut at ${cuts[i]}`).toEqual(expected);
      expect(await ask(socket, request)).toEqual([expected]);
    }),
  );
  // A single letter does not say yet which protocol it is, so both requests of that connection came whole.
  expect(ways.short.direct).toBe(1 + Math.floor(cuts.length / 2) + 2);
});

describe("a connection between requests", () => {
  const TIMEOUT_MS = 300;
  beforeEach(() => restart({ port: { http1: { keepAliveTimeout: TIMEOUT_MS } } }));

  test("is closed after a while, when Node would", async () => {
    const lived = await Promise.all(
      [plain("a"), plain("a", UNUSUAL)].map(async (request) => {
        const socket = await open(ways.short);
        const answers = await ask(socket, request, request);
        const answeredAt = performance.now();
        await isClosed(socket);
        return { ms: performance.now() - answeredAt, answers };
      }),
    );
    expect(ways.short.direct).toBe(2);
    expect(lived[0]?.answers[0]?.head).toContain("Keep-Alive: timeout=0");
    expect(lived[1]?.answers).toEqual(lived[0]?.answers);
    // Timers of sockets may be some milliseconds early.
    for (const { ms } of lived) {
      expect(ms).toBeGreaterThan(TIMEOUT_MS + KEEP_ALIVE_BUFFER_MS - 50);
    }
  });

  test("lives on with each request, and as long as one is answered", async () => {
    const socket = await open(ways.short);
    for (let i = 0; i < 3; i++) {
      await ask(socket, plain("a"));
      await sleep(TIMEOUT_MS + KEEP_ALIVE_BUFFER_MS / 4);
    }
    const other = await open(ways.short);
    await ask(other, plain("a"));
    const long = `deaf:${TIMEOUT_MS + 1.4 * KEEP_ALIVE_BUFFER_MS}`;
    // One is answered directly, and one by Node.
    const answers = await Promise.all([ask(socket, plain(long)), ask(other, plain(long, UNUSUAL))]);
    expect(answers.flat()).toMatchObject([{ status: 200 }, { status: 200 }]);
    await ask(socket, plain("a"));
    expect(ways.short.direct).toBe(6);
  });
});

test("a connection whose client says that it is done, and takes no answer, is closed after a while", async () => {
  await restart({ port: { http1: { keepAliveTimeout: 100 } } });
  const socket = await open(ways.short, { allowHalfOpen: true });
  socket.write(plain("large:20000000"));
  await expect.poll(() => ways.short.direct).toBe(1);
  socket.end();
  await once(socket, "finish");
  expect(ways.short.port.connections).toBe(1);
  await expect.poll(() => ways.short.port.connections, { timeout: 5_000 }).toBe(0);
});

describe.each([false, true])("when the port closes, with TLS: %s", (secured) => {
  test("connections that wait for requests are closed at once", async () => {
    const socket = await open(ways.short, { secured });
    await ask(socket, plain("a"));
    expect(ways.short.direct).toBe(1);
    const begunAt = performance.now();
    await Promise.all([ways.short.port.close({ timeoutMs: 10_000 }), isClosed(socket)]);
    expect(performance.now() - begunAt).toBeLessThan(1_500);
  });

  test("a call that is under way is answered, and nothing behind it", async () => {
    const socket = await open(ways.short, { secured, allowHalfOpen: true });
    socket.write(Buffer.concat([plain("deaf:200"), plain("wait:behind")]));
    await expect.poll(() => ways.short.direct).toBe(1);
    const closed = ways.short.port.close({ timeoutMs: 10_000 });
    const [answer] = await readAnswers(socket, 1);
    expect(answer?.status).toBe(200);
    expect(answer?.head).toContain("Connection: close");
    expect(answer?.head.join()).not.toContain("Keep-Alive");
    socket.write(plain("wait:late"));
    expect(await readUntil(socket)).toBe("");
    socket.end(plain("wait:later"));
    await closed;
    expect(ways.short.direct).toBe(1);
    expect(ways.short.witness.waiting).toBe(0);
  });

  test("a large answer that is under way comes whole", async () => {
    const socket = await open(ways.short, { secured });
    socket.write(plain("large:8000000"));
    await expect.poll(() => ways.short.direct).toBe(1);
    await sleep(50);
    const closed = ways.short.port.close({ timeoutMs: 10_000 });
    const [answer] = await readAnswers(socket, 1);
    expect(answer?.body.length).toBeGreaterThan(8_000_000);
    await Promise.all([closed, isClosed(socket)]);
  });
});

describe.each([false, true])("a flood of requests on one connection, with TLS: %s", (secured) => {
  /** What the server may take of it before it is answered: what it keeps, what its stream keeps, and a piece on its way. */
  const MAX_TAKEN_BYTES = 4 * MAX_EARLY_BYTES;
  const received = () => ways.short.port.traffic.receivedBytes;

  async function expectServed(): Promise<void> {
    const answers = await ask(await open(ways.short, { secured }), plain("somebody else"));
    expect(answers).toMatchObject([{ status: 200 }]);
  }

  /** The server's end of a connection that is made meanwhile. */
  async function openWatched(): Promise<{ client: Socket; server: Socket }> {
    const all: Socket[] = [];
    const onSocket = (message: unknown) => all.push((message as { socket: Socket }).socket);
    subscribe("net.server.socket", onSocket);
    const client = await open(ways.short, { secured });
    unsubscribe("net.server.socket", onSocket);
    const server = all.find(({ remotePort }) => remotePort === client.localPort);
    if (server === undefined) throw new Error("the server has no such connection");
    return { client, server };
  }

  test("is not read on while the first is answered, and answered whole then", async () => {
    const COUNT = 1_000;
    const socket = await open(ways.short, { secured });
    const padding = `X-Padding: ${"x".repeat(3_000)}\r\n`;
    socket.write(plain("deaf:600"));
    await expect.poll(() => ways.short.direct).toBe(1);
    const before = received();
    for (let i = 0; i < COUNT; i++) socket.write(plain(`number ${i}`, padding));
    const taken = (await settled(received)) - before;
    expect(ways.short.direct).toBe(1);
    expect(taken).toBeGreaterThan(MAX_EARLY_BYTES / 2);
    expect(taken).toBeLessThan(MAX_TAKEN_BYTES);
    await expectServed();
    const answers = await readAnswers(socket, COUNT + 1);
    const numbers = answers.slice(1).map(({ body }) => Number(/number (\d+)/.exec(body)?.[1]));
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  });

  test("is read no faster than it is answered", async () => {
    const socket = await open(ways.short, { secured });
    const request = plain("deaf:2");
    socket.resume();
    const before = received();
    socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => request)));
    await expect.poll(() => ways.short.direct).toBeGreaterThan(50);
    await expectServed();
    const answered = ways.short.direct * request.length;
    expect(received() - before - answered).toBeLessThan(MAX_TAKEN_BYTES);
  });

  test("is not answered on while its client takes no answers", async () => {
    const COUNT = 20_000;
    const ANSWER_BYTES = 20_000;
    const { client, server } = await openWatched();
    const request = plain(`large:${ANSWER_BYTES}`);
    client.write(Buffer.concat(Array.from({ length: COUNT }, () => request)));
    await expect.poll(() => ways.short.direct).toBeGreaterThan(20);
    const answered = await settled(() => ways.short.direct);
    // What systems keep on the way is some megabytes.
    expect(answered).toBeLessThan(COUNT / 5);
    expect(server.writableLength).toBeLessThan(server.writableHighWaterMark + 4 * ANSWER_BYTES);
    await expectServed();
    client.resume();
    await expect.poll(() => ways.short.direct).toBeGreaterThan(answered + 50);
    client.destroy();
    await expect.poll(() => ways.short.port.connections).toBeLessThan(4);
  });
});
