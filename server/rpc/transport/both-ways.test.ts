import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorReason, ErrorReasonSchema } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  EditRequestSchema,
  GetRequestSchema,
  UpdateRequestSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { GUILD_BURST } from "../../../test/support/guild-service.ts";
import { MAX_BYTES, startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import {
  type Case,
  expectSameAnswer,
  framed,
  headerCases,
  type Headers,
  headersOf,
} from "../../../test/support/way-cases.ts";
import {
  inEnvelope,
  STREAM_WIRES,
  UNARY_WIRES,
  type Wire,
  type WireRequest,
} from "../../../test/support/wire.ts";
import { codeOf } from "../pipeline/error-mapping.ts";

let ways: TwoWays;

beforeAll(async () => {
  ways = await startTwoWays();
});

afterAll(async () => {
  await ways.close();
});

const GET = "/realmwire.v1.WorldService/Get";
const UPDATE = "/realmwire.v1.WorldService/Update";
const VERSION = "/realmwire.v1.WorldService/Version";
const EDIT = "/realmwire.v1.WorldService/Edit";
const WHERE = "/guild.v1.GuildService/WhereAmI";

const REASONS = ErrorReasonSchema.values
  .map(({ number }) => number)
  .filter((reason) => reason !== ErrorReason.UNSPECIFIED);

function codeFor(reason: number): string {
  return codeToString(codeOf(reason as ErrorReason) ?? Code.Internal);
}

function get(name: string): Uint8Array {
  return toBinary(GetRequestSchema, create(GetRequestSchema, { name }));
}

function update(cursor: string, once = false): Uint8Array {
  return toBinary(UpdateRequestSchema, create(UpdateRequestSchema, { cursor, once }));
}

/** Makes the same call both ways; without a path it is Get. */
function expectSame(wire: Wire, one: Case): Promise<void> {
  return expectSameAnswer(ways, wire, { ...one, request: { path: GET, ...one.request } });
}

/** Cases that differ in their bodies. */
function bodyCases(wire: Wire, path: string, good: Uint8Array): Case[] {
  const at = (
    name: string,
    way: Case["way"],
    outcome: Case["outcome"],
    body: WireRequest["body"],
    headers: Headers = {},
  ): Case => ({
    ...{ name, way, outcome },
    request: { path, headers: { ...headersOf(wire), ...headers }, body: body ?? [] },
  });
  const body = framed(wire, good);
  const unlike = wire.enveloped ? "adapter" : "short";
  const large = Buffer.concat([good, Buffer.from([0xba, 0x3e, 0]), Buffer.alloc(0)]);
  const pieces = [...body].map((byte) => Uint8Array.of(byte));
  const ofSize = (size: number) => {
    // An unknown field, number 999, of so many bytes.
    const head = Buffer.from([
      0xba,
      0x3e,
      (size & 127) | 128,
      ((size >> 7) & 127) | 128,
      size >> 14,
    ]);
    return framed(wire, Buffer.concat([good, head, Buffer.alloc(size)]));
  };
  const cases = [
    at("in pieces", "short", "ok", pieces),
    at("an unknown field", "short", "ok", framed(wire, large)),
    at("nearly too large", "short", "ok", ofSize(MAX_BYTES - 100)),
    at("too large, with its length", "adapter", "resource_exhausted", ofSize(MAX_BYTES), {
      "content-length": String(ofSize(MAX_BYTES).length),
    }),
    at("too large, without its length", "adapter", "resource_exhausted", ofSize(MAX_BYTES)),
    at("much too large", "adapter", "resource_exhausted", ofSize(1_500_000)),
    at(
      "not Protobuf",
      "adapter",
      "invalid_argument",
      framed(wire, Buffer.from([0xff, 0xff, 0xff])),
    ),
    at(
      "Protobuf that breaks off",
      "adapter",
      "invalid_argument",
      framed(wire, Buffer.from([0x0a, 9, 1])),
    ),
    at("no body", unlike, wire.enveloped ? "unimplemented" : /./, []),
  ];
  if (!wire.enveloped) return cases;
  return [
    ...cases,
    at("half a head", "adapter", "invalid_argument", body.subarray(0, 3)),
    at(
      "a head with nothing behind",
      "adapter",
      "unimplemented",
      inEnvelope(new Uint8Array(0), 0, 9),
    ),
    at(
      "cut off",
      "adapter",
      "invalid_argument",
      inEnvelope(Buffer.concat([good, good, Buffer.from([0])]), 0, 99),
    ),
    at("a byte too many", "adapter", "invalid_argument", Buffer.concat([body, Buffer.from([0])])),
    at("two messages", "adapter", "unimplemented", Buffer.concat([body, body])),
    at("an empty message", "short", /./, inEnvelope(new Uint8Array(0))),
    at(
      "an empty message and a good one",
      "adapter",
      "unimplemented",
      Buffer.concat([inEnvelope(new Uint8Array(0)), body]),
    ),
    at(
      "said to be larger than allowed",
      "adapter",
      "resource_exhausted",
      inEnvelope(good, 0, MAX_BYTES + 1),
    ),
    at("said to be 4 GiB", "adapter", "resource_exhausted", inEnvelope(good, 0, 2 ** 32 - 1)),
    ...[1, 2, 3, 4, 0x80, 0xff].map((flags) =>
      at(`flags ${flags}`, "adapter", /./, inEnvelope(good, flags)),
    ),
  ];
}

/** Cases that differ in what handlers do. */
function unaryHandlerCases(wire: Wire): Case[] {
  const at = (name: string, outcome: Case["outcome"], headers: Headers = {}): Case => ({
    ...{ name, way: "short", outcome },
    request: { headers: { ...headersOf(wire), ...headers }, body: framed(wire, get(name)) },
  });
  const soon = (ms: number) => ({ [wire.timeoutHeader]: wire.timeoutValue(ms) });
  const version = { path: VERSION, body: framed(wire, new Uint8Array(0)) };
  const type = { "content-type": wire.contentType };
  const editing = toBinary(EditRequestSchema, create(EditRequestSchema, { undoRevision: 1 }));
  return [
    ...REASONS.map((reason) => at(`reason:${reason}`, codeFor(reason))),
    at("reason:0", "internal"),
    at("reason:9999", "internal"),
    at("bug", "internal"),
    at("connect", "data_loss"),
    at("surrogate", "data_loss"),
    at("misfit", "internal"),
    at("large:200000", "ok"),
    at("deaf:30", "ok", soon(5)),
    at("wait:tiny", "deadline_exceeded", soon(1)),
    at("wait:short", "deadline_exceeded", soon(60)),
    {
      ...{ name: "no session is needed", way: "short", outcome: "ok" },
      request: { ...version, headers: type },
    },
    {
      ...{ name: "a wrong token where none is needed", way: "short", outcome: "ok" },
      request: { ...version, headers: { ...type, authorization: "Bearer wrong" } },
    },
    {
      ...{ name: "a login is needed", way: "short", outcome: "unauthenticated" },
      request: { headers: type, body: framed(wire, get("x")) },
    },
    {
      ...{ name: "a higher role is needed", way: "short", outcome: "permission_denied" },
      request: { path: EDIT, headers: headersOf(wire), body: framed(wire, editing) },
    },
    {
      ...{ name: "a broken rule", way: "short", outcome: "invalid_argument" },
      request: { headers: headersOf(wire), body: framed(wire, get("x".repeat(65))) },
    },
    {
      ...{ name: "no handler", way: "short", outcome: "unimplemented" },
      request: {
        ...{ path: "/realmwire.v1.WorldService/Set", headers: headersOf(wire) },
        // `attribute` and an empty `value`.
        body: framed(wire, Buffer.from([0x12, 1, 97, 0x1a, 0])),
      },
    },
    {
      ...{ name: "no such call", way: "short", outcome: "404" },
      request: { path: "/realmwire.v1.WorldService/Nothing", headers: headersOf(wire) },
    },
    {
      ...{
        name: "the type of streams",
        way: "adapter",
        outcome: wire.enveloped ? "ok" : "unimplemented",
      },
      request: {
        headers: {
          ...headersOf(wire),
          "content-type": wire.enveloped ? "application/json" : "application/connect+proto",
        },
        body: Buffer.from("{}"),
      },
    },
  ];
}

describe.each(UNARY_WIRES)("a unary call: $name", (wire) => {
  test.each(headerCases(wire, GET, get("x")))("headers: $name", (one) => expectSame(wire, one));
  test.each(bodyCases(wire, GET, get("x")))("body: $name", (one) => expectSame(wire, one));
  test.each(unaryHandlerCases(wire))("handler: $name", (one) => expectSame(wire, one));
});

test.each(UNARY_WIRES)("a limit is reached: $name", async (wire) => {
  const request = {
    path: WHERE,
    headers: { ...headersOf(wire) },
    body: framed(wire, new Uint8Array(0)),
  };
  const own = await startTwoWays({ pipeline: { now: () => 0 } });
  const shared = ways;
  ways = own;
  try {
    for (let call = 0; call < GUILD_BURST; call++) {
      await expectSame(wire, { name: "good", way: "short", outcome: "ok", request });
    }
    await expectSame(wire, { name: "limit", way: "short", outcome: "resource_exhausted", request });
  } finally {
    ways = shared;
    await own.close();
  }
});

/** Cases that differ in what streams do. */
function streamHandlerCases(wire: Wire): Case[] {
  const at = (cursor: string, outcome: Case["outcome"], headers: Headers = {}): Case => ({
    ...{ name: cursor || "a few messages", way: "short", outcome },
    request: {
      path: UPDATE,
      headers: { ...headersOf(wire), ...headers },
      body: framed(wire, update(cursor)),
    },
  });
  const soon = (ms: number) => ({ [wire.timeoutHeader]: wire.timeoutValue(ms) });
  return [
    at("", "ok"),
    at("nothing", "ok"),
    at("large:40000", "ok"),
    at("bug", "internal"),
    at("bug-next", "internal"),
    at("bug-ready", "internal"),
    ...REASONS.flatMap((reason) => [
      at(`reason:${reason}`, codeFor(reason)),
      at(`broken:${reason}`, codeFor(reason)),
      at(`fail:${reason}`, codeFor(reason)),
    ]),
    at("fail:0", "internal"),
    at("wait", "deadline_exceeded", soon(60)),
    at("late", "deadline_exceeded", soon(30)),
    at("wait, but a token is wrong", "unauthenticated", { authorization: "Bearer wrong" }),
    {
      ...{ name: "a broken rule", way: "short", outcome: "invalid_argument" },
      request: {
        ...{ path: UPDATE, headers: headersOf(wire) },
        body: framed(wire, update("x".repeat(65))),
      },
    },
    {
      ...{ name: "once", way: "short", outcome: "ok" },
      request: { path: UPDATE, headers: headersOf(wire), body: framed(wire, update("wait", true)) },
    },
    {
      ...{ name: "the type of unary calls", way: "adapter", outcome: "unimplemented" },
      request: {
        path: UPDATE,
        headers: { ...headersOf(wire), "content-type": "application/proto" },
        body: update(""),
      },
    },
  ];
}

describe.each(STREAM_WIRES)("a stream: $name", (wire) => {
  test.each(headerCases(wire, UPDATE, update("")))("headers: $name", (one) =>
    expectSame(wire, one),
  );
  test.each(bodyCases(wire, UPDATE, update("")))("body: $name", (one) => expectSame(wire, one));
  test.each(streamHandlerCases(wire))("handler: $name", (one) => expectSame(wire, one));
});

test("every stream was closed once, on both ways", () => {
  const { short, adapter } = ways;
  expect(short.witness.closed.length).toBeGreaterThan(100);
  expect(short.witness.closed.toSorted()).toEqual(adapter.witness.closed.toSorted());
});

test("both ways log the same bugs", () => {
  const errorsOf = ({ log }: TwoWays["short"]) =>
    log
      .filter(({ level }) => level === "error")
      .map(({ message, fields }) => `${message} ${String(fields["call"])}`);
  expect(errorsOf(ways.short).length).toBeGreaterThan(10);
  expect(errorsOf(ways.short).toSorted()).toEqual(errorsOf(ways.adapter).toSorted());
});
