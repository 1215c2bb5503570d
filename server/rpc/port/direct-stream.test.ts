import { once } from "node:events";
import http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TOKENS } from "../../../test/support/rpc-server.ts";
import { getBytes, startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import { CALL_ID, inEnvelope } from "../../../test/support/wire.ts";
import { MAX_DIRECT_STREAM_BYTES } from "./direct-stream.ts";

const GET = "/realmwire.v1.WorldService/Get";
const VERSION = "/realmwire.v1.WorldService/Version";
const GRPC = "application/grpc+proto";
const PROTO = "application/proto";
const GOOD_ORIGIN = "https://good.example";

type Server = TwoWays["short"];

/** A request of HTTP/2, sent piece by piece with a pause before each but the first. */
interface Request {
  readonly pieces: readonly Uint8Array[];
  readonly type?: string;
  readonly path?: string;
  readonly more?: http2.OutgoingHttpHeaders;
  readonly pauseMs?: number;
  /** The head says already that nothing follows. */
  readonly endsWithHead?: boolean;
}

let ways: TwoWays;
const closers: (() => void)[] = [];

beforeEach(async () => {
  ways = await startTwoWays({ front: { allowedOrigins: [GOOD_ORIGIN] } });
});

afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await ways.close();
});

function connect({ url }: Server): http2.ClientHttp2Session {
  const session = http2.connect(url);
  closers.push(() => session.destroy());
  return session;
}

function begin(session: http2.ClientHttp2Session, request: Request): http2.ClientHttp2Stream {
  const { type = GRPC, path = GET, more = {}, endsWithHead = false } = request;
  const headers = { ":method": "POST", ":path": path, "content-type": type, te: "trailers" };
  const token = { authorization: `Bearer ${TOKENS.player}` };
  return session.request(
    { ...headers, ...CALL_ID, ...token, ...more },
    { endStream: endsWithHead },
  );
}

/** Sends a request, and answers all that a client sees of what comes back. */
async function ask(session: http2.ClientHttp2Session, request: Request) {
  const stream = begin(session, request);
  const seen: { headers?: object; trailers?: object; body: string; reset?: number } = { body: "" };
  // Nor does it matter how it was transferred.
  stream.on("response", (headers) => {
    seen.headers = { ...headers, date: "any", "content-length": "any" };
  });
  stream.on("trailers", (trailers) => (seen.trailers = { ...trailers }));
  stream.on("data", (chunk: Buffer) => (seen.body += chunk.toString("latin1")));
  stream.on("error", () => {});
  for (const [index, piece] of request.pieces.entries()) {
    if (index > 0 && request.pauseMs !== undefined) await sleep(request.pauseMs);
    stream.write(piece);
  }
  if (!request.endsWithHead) stream.end();
  await once(stream, "close");
  seen.reset = stream.rstCode ?? -1;
  return seen;
}

/** Asks both servers, expects the same of both, and that the short one did it without Node's request or with it. */
async function compare(isDirect: boolean, ...requests: readonly Request[]) {
  const before = ways.short.direct;
  const [short, adapter] = await Promise.all(
    [ways.short, ways.adapter].map(async (server) => {
      const session = connect(server);
      const answers: Awaited<ReturnType<typeof ask>>[] = [];
      for (const request of requests) answers.push(await ask(session, request));
      return answers;
    }),
  );
  expect(short).toEqual(adapter);
  expect(ways.short.direct - before).toBe(isDirect ? requests.length : 0);
  return short ?? [];
}

const envelope = (name: string) => inEnvelope(getBytes(name));

test("plain calls of all protocols are answered without Node's request, good and bad, again and again", async () => {
  for (const name of ["ada", "reason:3", "bug", "connect", "vary", "misfit", "large:3000", ""]) {
    const grpc = { pieces: [envelope(name)] };
    const web = { ...grpc, type: "application/grpc-web+proto" };
    const [answer] = await compare(true, grpc, grpc, web, grpc);
    expect(answer?.headers).toMatchObject({ ":status": 200 });
    if (name !== "") await compare(true, { pieces: [getBytes(name)], type: PROTO });
  }
});

test("heads count each for itself, also those that differ only in their token or path", async () => {
  const get = { pieces: [envelope("ada")] };
  const version = { pieces: [inEnvelope(new Uint8Array(0))], path: VERSION };
  const bad = { ...get, more: { authorization: "Bearer nobody" } };
  const builder = { ...version, more: { authorization: `Bearer ${TOKENS.builder}` } };
  const web = { ...get, more: { origin: GOOD_ORIGIN } };
  const stranger = { ...get, more: { origin: "https://bad.example" } };
  const answers = await compare(true, get, bad, get, version, builder, version, web, stranger, get);
  const bodies = answers.map(({ body }) => body);
  expect(new Set(bodies).size).toBe(4);
  expect(answers[6]?.headers).toMatchObject({ "access-control-allow-origin": GOOD_ORIGIN });
});

test("what comes in several pieces at once is read as one", async () => {
  const bytes = envelope("ada");
  const cuts = Array.from(bytes.keys()).slice(1);
  const before = ways.short.direct;
  for (const cut of cuts) {
    const [short, adapter] = await Promise.all(
      [ways.short, ways.adapter].map((server) =>
        ask(connect(server), { pieces: [bytes.subarray(0, cut), bytes.subarray(cut)] }),
      ),
    );
    expect(short).toEqual(adapter);
  }
  expect(ways.short.direct).toBeGreaterThan(before);
});

test("what takes its time is Node's, with what was read of it", async () => {
  const bytes = envelope("ada");
  for (const cut of [1, 5, 7]) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    const [answer] = await compare(false, { pieces, pauseMs: 20 });
    expect(answer?.trailers).toMatchObject({ "grpc-status": "0" });
  }
  const late = [bytes, new Uint8Array(0)];
  await compare(false, { pieces: late, pauseMs: 20 });
});

test("what is no plain message is Node's, and answered as ever", async () => {
  const one = envelope("ada");
  const odd: Record<string, Request> = {
    nothing: { pieces: [] },
    "nothing, and the head says so": { pieces: [], endsWithHead: true },
    "half a head": { pieces: [one.subarray(0, 3)] },
    "half a message": { pieces: [one.subarray(0, 7)] },
    "two messages": { pieces: [Buffer.concat([one, one])] },
    "no message of Protobuf": { pieces: [inEnvelope(Buffer.from([0xff, 0xff]))] },
    "a packed one": { pieces: [inEnvelope(getBytes("ada"), 1)] },
    "more than is read": { pieces: [envelope("x".repeat(MAX_DIRECT_STREAM_BYTES + 1))] },
    "no body in plain form": { pieces: [Buffer.from([0xff])], type: PROTO },
    json: { pieces: [Buffer.from('{"name":"ada"}')], type: "application/json" },
    "an expectation": { pieces: [one], more: { expect: "100-continue" } },
    "an odd one": { pieces: [one], more: { expect: "a miracle" } },
    "no such call": { pieces: [one], path: "/realmwire.v1.WorldService/Fly" },
  };
  for (const [what, request] of Object.entries(odd)) {
    const [answer] = await compare(false, request);
    expect(answer, what).toBeDefined();
  }
});

test("a caller that leaves, before or after its request came, ends what it began", async () => {
  const session = connect(ways.short);
  const early = begin(session, { pieces: [] });
  early.on("error", () => {});
  early.write(envelope("ada"));
  await sleep(20);
  early.close(http2.constants.NGHTTP2_CANCEL);
  const hasty = begin(session, { pieces: [] });
  hasty.on("error", () => {});
  hasty.write(envelope("wait:cut"));
  hasty.close(http2.constants.NGHTTP2_CANCEL);
  await once(hasty, "close");
  const waiting = begin(session, { pieces: [] });
  waiting.on("error", () => {});
  waiting.end(envelope("wait:left"));
  await expect.poll(() => ways.short.witness.waiting).toBe(1);
  expect(ways.short.direct).toBe(1);
  waiting.close(http2.constants.NGHTTP2_CANCEL);
  await expect.poll(() => ways.short.witness.aborted).toHaveLength(1);
  expect(await ask(session, { pieces: [envelope("ada")] })).toMatchObject({
    trailers: { "grpc-status": "0" },
  });
  expect(ways.short.log.filter(({ level }) => level === "error")).toEqual([]);
});
