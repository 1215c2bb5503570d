import type { Random } from "../../server/sim/random.ts";

/** Heads as clients send them. */
const GOOD: readonly (readonly string[])[] = [
  ["POST /a.v1.B/C HTTP/1.1", "Host: x", "Content-Length: 0"],
  [
    "POST /realmwire.v1.WorldService/Move HTTP/1.1",
    "host: 127.0.0.1:8080",
    "connection: keep-alive",
    "content-type: application/proto",
    "authorization: Bearer 01234567-89ab",
    "connect-protocol-version: 1",
    "user-agent: connect-es/2.0.0 (some browser)",
    "content-length: 12",
  ],
  [
    "POST /x HTTP/1.1",
    "Content-Length: 300",
    "Accept: */*",
    "Origin: https://example.org",
    "Host: [::1]:80",
    'X-Odd_1: a, b;c="d" e',
    "Connection: Keep-Alive",
  ],
];

const BYTES = ["\0", "\t", "\n", "\v", "\f", "\r", " ", ",", ":", "/", "\x7f", "\x80", "\xff"];
const LINE_ENDS = ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", " \r\n", "\t\r\n", "\r\n\r\n"];
const LENGTHS = [
  ...["+5", "-1", "0x5", "05", "00", "5,5", "5, 5", "5 5", "5.0", "5e1", "1_0", "0b1", ""],
  ...["1000", "65536", "65537", "99999999999999999999", "4294967296", "\u00b2", "0", "7"],
];
const FIELDS = [
  ...["Transfer-Encoding: chunked", "transfer-encoding:identity", "TE: trailers", "Trailer: x"],
  ...["Expect: 100-continue", "Expect: x", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
  ...["Connection: close", "Connection: upgrade", "connection: keep-alive, te", "Keep-Alive: 5"],
  ...["Proxy-Connection: keep-alive", "Host: y", "Host:", "Content-Length: 4", "X:", "X: ", ": x"],
  ...["Cookie: a=b", "Set-Cookie: a=b", "__proto__: x", "constructor: x", "hasownproperty: x"],
  ...["Accept: a", "accept:a", "X-A :b", " X-A: b", "X-A:  b", "X-A: b  c", "X-A: b c", "X A: b"],
  ...["Transfer_Encoding: chunked", "Content_Length: 5", "X-Content-Length: 5", "-: x", "_: x"],
  ...["Referer: a", "If-None-Match: a", "Age: 1", "Content-Encoding: gzip", "X-1: 2", "1: 2"],
];
const FIRST_LINES = [
  ...["POST /a HTTP/1.0", "POST /a HTTP/2.0", "POST /a HTTP/1.11", "POST /a HTTP/01.1"],
  ...["POST /a", "post /a HTTP/1.1", "GET /a HTTP/1.1", "POST  /a HTTP/1.1", "POST /a  HTTP/1.1"],
  ...["POST http://x/a HTTP/1.1", "POST //x/a HTTP/1.1", "POST * HTTP/1.1", "POST /a?b HTTP/1.1"],
  ...["POST /a#b HTTP/1.1", "POST /%41 HTTP/1.1", "POST /../a HTTP/1.1", "POST / HTTP/1.1", ""],
  ...["POST /a http/1.1", "POST\t/a HTTP/1.1", "XPOST /a HTTP/1.1", "POST /a HTTP/1.1 "],
];

type Change = (lines: string[], random: Random) => void;

/** What becomes of the lines of a head. Each stands with its end. */
const CHANGES: readonly Change[] = [
  (lines, random) => alter(lines, random, ({ at, line }) => put(line, at, letter(random), 1)),
  (lines, random) => alter(lines, random, ({ at, line }) => put(line, at, letter(random), 0)),
  (lines, random) => alter(lines, random, ({ at, line }) => put(line, at, "", 1 + random.below(4))),
  (lines, random) => alter(lines, random, ({ line }) => invertCase(line)),
  (lines, random) =>
    alter(lines, random, ({ line }) =>
      line.replace(":", random.pick([" :", ":\t", ":  ", ":", ": ", "::", ""])),
    ),
  (lines, random) =>
    alter(lines, random, ({ line }) => line.replace("\r\n", random.pick(LINE_ENDS))),
  (lines, random) => alter(lines, random, ({ line }) => line.repeat(2)),
  (lines, random) => alter(lines, random, () => ""),
  (lines, random) => alter(lines, random, ({ line }) => line + anyField(random)),
  (lines, random) => alter(lines, random, ({ line }) => line + anyField(random)),
  (lines, random) => void lines.splice(1, 0, ...lines.splice(random.below(lines.length), 1)),
  (lines, random) => (lines[0] = `${random.pick(FIRST_LINES)}\r\n`),
  (lines, random) => {
    const at = lines.findIndex((line) => /^content-length/i.test(line));
    if (at >= 0) lines[at] = `Content-Length: ${random.pick(LENGTHS)}\r\n`;
  },
];

/** How many changes a head has, at most. */
const MAX_CHANGES = 3;

/** The head of a request of HTTP/1.1 with some changes, after most of which it is none or an unusual one. */
export function randomHead(random: Random): Buffer {
  const lines = random.pick(GOOD).map((line) => `${line}\r\n`);
  const changes = 1 + random.below(MAX_CHANGES);
  for (let i = 0; i < changes; i++) random.pick(CHANGES)(lines, random);
  return Buffer.from(`${lines.join("")}\r\n`, "latin1");
}

function alter(
  lines: string[],
  random: Random,
  change: (chosen: { line: string; at: number }) => string,
): void {
  const index = random.below(lines.length);
  const line = lines[index] ?? "";
  lines[index] = change({ line, at: random.below(line.length + 1) });
}

function put(line: string, at: number, text: string, instead: number): string {
  return line.slice(0, at) + text + line.slice(at + instead);
}

/** Any letter at all, or one that means something. */
function letter(random: Random): string {
  const kind = random.below(3);
  if (kind === 0) return random.pick(BYTES);
  return String.fromCharCode(kind === 1 ? random.below(256) : 33 + random.below(94));
}

function anyField(random: Random): string {
  return `${random.pick(FIELDS)}\r\n`;
}

function invertCase(line: string): string {
  const upper = line.toUpperCase();
  return line === upper ? line.toLowerCase() : upper;
}
