import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomHead } from "../../../test/support/random-heads.ts";
import { openSocket } from "../../../test/support/raw-http1.ts";
import { createRandom, randomStateOf } from "../../sim/random.ts";
import { MAX_DIRECT_BODY_BYTES, MAX_DIRECT_HEAD_BYTES, readDirectHead } from "./direct-head.ts";

const FIRST = "POST /a.v1.B/C HTTP/1.1";
const LINES = [FIRST, "Host: x", "Content-Length: 5"];

/** Reads a head of these lines, of which an empty one ends it. */
function read(lines: readonly string[], body = "hello") {
  return readDirectHead(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1"));
}

/** A head of exactly so many bytes. */
function headOf(bytes: number): string {
  const start = `${LINES.join("\r\n")}\r\nX: `;
  return `${start}${"x".repeat(bytes - start.length - 4)}\r\n\r\n`;
}

describe("the head of a plain request", () => {
  test("is read with all that Node tells of one", () => {
    const lines = [
      ...[FIRST, "Host: [::1]:8080", "CONNECTION: Keep-Alive", "x-Odd_1:a, b;c d"],
      "Content-Length: 5",
    ];
    expect(read(lines)).toEqual({
      method: "POST",
      url: "/a.v1.B/C",
      headers: {
        ...{ host: "[::1]:8080", connection: "Keep-Alive", "x-odd_1": "a, b;c d" },
        ...{ "content-length": "5" },
      },
      headBytes: lines.join("\r\n").length + 4,
      bodyBytes: 5,
    });
  });

  test.each([
    ["no body", ["Host: x", "Content-Length: 0"]],
    ["its fields in another order", ["Content-Length: 5", "Host: x"]],
    ["a name that every object knows", ["Host: x", "Content-Length: 5", "constructor: x"]],
    ["a value without a space before it", ["Host:x", "Content-Length:5"]],
  ])("may have %s", (_, fields) => {
    expect(read([FIRST, ...fields])).toBeDefined();
  });

  test("ends before its body, whatever that holds", () => {
    const plain = read(LINES, "");
    expect(plain).toBeDefined();
    for (const body of ["\r\n\r\n", "\0\xff", "POST / HTTP/1.1\r\n\r\n"]) {
      expect(read(LINES, body)).toEqual(plain);
    }
  });
});

describe("whose head is not plain, is left to Node's parser:", () => {
  test.each([
    "transfer-encoding: chunked",
    "Transfer-Encoding: identity",
    ...["te: trailers", "trailer: x", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"],
    ...["expect: 100-continue", "proxy-connection: keep-alive", "keep-alive: timeout=5"],
    ...["connection: close", "connection: Upgrade", "connection: keep-alive, te", "connection:"],
    ...["set-cookie: a=b", "__proto__: x"],
    ...["host: x", "Host: y", "content-length: 5", "Content-Length: 6", "X-A: a\r\nx-a: a"],
    ...["X-A : b", "X-A\t: b", " X-A: b", "\tX-A: b", "X A: b", ": b", "X-A", "X-A:", "X-A: "],
    ...["X-A:\tb", "X-A:  b", "X-A: b ", "X-A: b\t", "X-A: b\tc", "X-A: b  c"],
    ...[
      "X-A: b\r\n c",
      "X-A: b\r\n\tc",
      "X-A: b\nX-B: c",
      "X-A: b\rX-B: c",
      "X-A: b\r",
      "X-A: b\n",
    ],
    ...["X-A: b\0", "X\0: b", "X-A: \x7f", "X-A: \xe4", "X-\xe4: b", "X-A: \x80", "X-A: \x01"],
    ...["X(A): b", "X/A: b", 'X"A": b', "X-A: b\r\n\nX-B: c", "\nX-A: b"],
  ])("%j among its fields", (field) => {
    expect(read([...LINES, field])).toBeUndefined();
    expect(read([FIRST, field, ...LINES.slice(1)])).toBeUndefined();
  });

  test.each([
    ...["+5", "-5", "-0", "05", "00", "0x5", "0b1", "5.0", "5e0", "1_0", "5,5", "5, 5", "5 5", ""],
    ...["five", "\u00b2", "Infinity", "NaN", "99999999999999999999", "1000000", "4294967301"],
    String(MAX_DIRECT_BODY_BYTES + 1),
  ])("a length of %j", (length) => {
    expect(read([FIRST, "Host: x", `Content-Length: ${length}`])).toBeUndefined();
  });

  test.each([
    ["no host", [FIRST, "Content-Length: 5"]],
    ["no length", [FIRST, "Host: x"]],
    ["no fields", [FIRST]],
    ["an empty line first", ["", ...LINES]],
    ["nothing but an empty line", [""]],
  ])("%s", (_, lines) => {
    expect(read(lines)).toBeUndefined();
  });

  test.each([
    ...["POST /a HTTP/1.0", "POST /a HTTP/2.0", "POST /a HTTP/1.11", "POST /a http/1.1"],
    ...["post /a HTTP/1.1", "Post /a HTTP/1.1", "GET /a HTTP/1.1", "XPOST /a HTTP/1.1"],
    ...["POST /a?b HTTP/1.1", "POST /a#b HTTP/1.1", "POST /%41 HTTP/1.1", "POST / HTTP/1.1"],
    ...["POST http://x/a HTTP/1.1", "POST a HTTP/1.1", "POST * HTTP/1.1", "POST x:80 HTTP/1.1"],
    ...["POST  /a HTTP/1.1", "POST /a  HTTP/1.1", "POST\t/a HTTP/1.1", " POST /a HTTP/1.1"],
    ...["POST /a HTTP/1.1 ", "POST /a", "POST /a HTTP/1.1\n", "POST /a\n HTTP/1.1", "POST", ""],
    ...["POST /\0 HTTP/1.1", "POST /\xe4 HTTP/1.1", "POST /a;b HTTP/1.1", "POST /a\r HTTP/1.1"],
  ])("%j as its first line", (first) => {
    expect(read([first, ...LINES.slice(1)])).toBeUndefined();
  });

  test("line ends of another kind", () => {
    const text = `${LINES.join("\r\n")}\r\n\r\n`;
    for (const end of ["\n", "\r", "\n\r", "\r\r\n"]) {
      expect(readDirectHead(Buffer.from(text.replaceAll("\r\n", end))), end).toBeUndefined();
      for (let at = text.indexOf("\r\n"); at >= 0; at = text.indexOf("\r\n", at + 1)) {
        const changed = text.slice(0, at) + end + text.slice(at + 2);
        expect(readDirectHead(Buffer.from(changed)), JSON.stringify(changed)).toBeUndefined();
      }
    }
  });

  test("all of it that is not complete", () => {
    const whole = Buffer.from(`${LINES.join("\r\n")}\r\n\r\n`);
    expect(readDirectHead(whole)).toBeDefined();
    for (let length = 0; length < whole.length; length++) {
      expect(readDirectHead(whole.subarray(0, length)), String(length)).toBeUndefined();
    }
  });
});

test("a head of as many bytes as are read is read, and a longer one is not", () => {
  const longest = Buffer.from(headOf(MAX_DIRECT_HEAD_BYTES));
  expect(longest).toHaveLength(MAX_DIRECT_HEAD_BYTES);
  expect(readDirectHead(longest)?.headBytes).toBe(MAX_DIRECT_HEAD_BYTES);
  expect(readDirectHead(Buffer.concat([longest, longest]))?.headBytes).toBe(MAX_DIRECT_HEAD_BYTES);
  expect(readDirectHead(Buffer.from(headOf(MAX_DIRECT_HEAD_BYTES + 1)))).toBeUndefined();
});

test("a body of as many bytes as are read is announced, and a longer one is not", () => {
  const announce = (length: number) => read([FIRST, "Host: x", `Content-Length: ${length}`], "");
  expect(announce(MAX_DIRECT_BODY_BYTES)?.bodyBytes).toBe(MAX_DIRECT_BODY_BYTES);
  expect(announce(MAX_DIRECT_BODY_BYTES + 1)).toBeUndefined();
});

describe("what is read here", () => {
  /** What a request is to a server. */
  interface Seen {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly version: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly bodyBytes: number;
  }
  const HEADS = 20_000;
  const PER_CONNECTION = 40;
  let server: http.Server;
  const seen = new Map<number | undefined, Seen[]>();

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      const { method, url, httpVersion: version, headers, socket } = request;
      const all = seen.get(socket.remotePort) ?? [];
      seen.set(socket.remotePort, all);
      let bodyBytes = 0;
      request.on("data", (chunk: Buffer) => (bodyBytes += chunk.length));
      request.on("end", () => {
        all.push({ method, url, version, headers, bodyBytes });
        response.end();
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  });

  afterAll(() => void server.close());

  /** What Node's server understands when it is sent this, and then no more. */
  async function understood(pieces: readonly Buffer[]): Promise<Seen[]> {
    const socket = await openSocket((server.address() as AddressInfo).port);
    const { localPort } = socket;
    socket.resume();
    socket.end(Buffer.concat(pieces));
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    return seen.get(localPort) ?? [];
  }

  test("is read by Node in the same way, whatever becomes of a head", async () => {
    const random = createRandom(randomStateOf("heads"));
    const accepted: { sent: Buffer; expected: Seen }[] = [];
    for (let i = 0; i < HEADS; i++) {
      const sent = randomHead(random);
      const head = readDirectHead(sent);
      if (head === undefined) continue;
      const { method, url, headers, bodyBytes, headBytes } = head;
      const body = Buffer.alloc(bodyBytes, "\r\n\0x");
      const expected = { method, url, version: "1.1", headers: { ...headers }, bodyBytes };
      accepted.push({ sent: Buffer.concat([sent.subarray(0, headBytes), body]), expected });
    }
    for (let i = 0; i < accepted.length; i += PER_CONNECTION) {
      const batch = accepted.slice(i, i + PER_CONNECTION);
      const understoodOnes = await understood(batch.map(({ sent }) => sent));
      for (const [j, { sent, expected }] of batch.entries()) {
        expect(understoodOnes[j], JSON.stringify(sent.toString("latin1", 0, 1_000))).toEqual(
          expected,
        );
      }
      expect(understoodOnes).toHaveLength(batch.length);
    }
    // Or else this would say nothing.
    expect(accepted.length).toBeGreaterThan(HEADS / 10);
    expect(accepted.length).toBeLessThan(HEADS / 2);
    expect(new Set(accepted.map(({ sent }) => sent.toString("latin1"))).size).toBeGreaterThan(
      1_000,
    );
  });
});
