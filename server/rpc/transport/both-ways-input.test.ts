import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { InputRequestSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { TOKENS } from "../../../test/support/rpc-server.ts";
import { INPUT, MAX_BYTES, startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import {
  type Case,
  expectSameAnswer,
  headerCases,
  headersOf,
  packed,
} from "../../../test/support/way-cases.ts";
import {
  inEnvelope,
  STREAM_WIRES,
  type Wire,
  type WireRequest,
} from "../../../test/support/wire.ts";
import { codeOf } from "../pipeline/error-mapping.ts";

const PATH = "/realmwire.v1.WorldService/Input";

let ways: TwoWays;

beforeAll(async () => {
  ways = await startTwoWays();
});

afterAll(async () => {
  await ways.close();
});

/** A message with moves of these sequences. */
function input(...sequences: number[]): Uint8Array {
  const moves = sequences.map((sequence) => ({
    kind: { case: "direction" as const, value: { x: 1 } },
    sequence,
  }));
  return toBinary(InputRequestSchema, create(InputRequestSchema, { moves }));
}

function messages(...sequences: number[]): Buffer {
  return Buffer.concat(sequences.map((sequence) => inEnvelope(input(sequence))));
}

function expectSame(wire: Wire, one: Case): Promise<void> {
  return expectSameAnswer(ways, wire, one);
}

function at(
  wire: Wire,
  name: string,
  outcome: Case["outcome"],
  body: WireRequest["body"],
  more: { headers?: Record<string, string>; ends?: boolean } = {},
): Case {
  const { headers, ends = true } = more;
  return {
    ...{ name, way: "short", outcome },
    request: {
      ...{ path: PATH, headers: { ...headersOf(wire), ...headers }, ends },
      body: body ?? [],
    },
  };
}

/** Cases that differ in their bodies. */
function bodyCases(wire: Wire): Case[] {
  const three = messages(1, 2, 3);
  const one = inEnvelope(input(1));
  const last = (bytes: Uint8Array) => Buffer.concat([messages(1, 2), bytes]);
  const large = (size: number) =>
    Buffer.concat([input(1), Buffer.from([0xba, 0x3e]), varint(size)]);
  const padded = (size: number) => inEnvelope(Buffer.concat([large(size), Buffer.alloc(size)]));
  return [
    at(wire, "nothing at all", "ok", []),
    at(wire, "one message", "ok", one),
    at(wire, "several messages", "ok", three),
    at(wire, "several moves in one message", "ok", inEnvelope(input(1, 2, 3, 4))),
    at(
      wire,
      "a byte at a time",
      "ok",
      [...three].map((byte) => Uint8Array.of(byte)),
    ),
    at(wire, "a message and a half, twice", "ok", [
      three.subarray(0, one.length + 3),
      three.subarray(one.length + 3),
    ]),
    at(wire, "an unknown field", "ok", last(padded(10))),
    at(wire, "nearly too large", "ok", last(padded(MAX_BYTES - 100))),
    at(wire, "too large", "resource_exhausted", [messages(1, 2), padded(MAX_BYTES)]),
    at(wire, "said to be too large", "resource_exhausted", [
      messages(1),
      inEnvelope(input(1), 0, MAX_BYTES + 1),
    ]),
    at(wire, "said to be 4 GiB", "resource_exhausted", inEnvelope(input(1), 0, 2 ** 32 - 1)),
    at(wire, "not Protobuf", /invalid/, last(inEnvelope(Buffer.from([0xff, 0xff])))),
    at(wire, "not Protobuf, and more", /invalid/, [
      inEnvelope(Buffer.from([0xff])),
      messages(1, 2),
    ]),
    at(wire, "half a head", "invalid_argument", last(one.subarray(0, 3))),
    // Connect passes it over.
    at(wire, "a head with nothing behind", "ok", last(one.subarray(0, 5))),
    at(wire, "cut off", "invalid_argument", last(one.subarray(0, -1))),
    at(wire, "packed, without a word of it", /./, last(inEnvelope(packed(wire, input(1)), 1))),
    ...[1, 2, 3, 4, 0x80, 0xff].flatMap((flags) => [
      at(wire, `flags ${flags}`, /./, last(inEnvelope(input(1), flags))),
      at(wire, `flags ${flags}, and more`, /./, [
        inEnvelope(input(1), flags),
        messages(1, INPUT.refuse + ErrorReason.DRAINING),
      ]),
    ]),
    at(wire, "a broken rule: no moves", "invalid_argument", last(inEnvelope(new Uint8Array(0)))),
    at(
      wire,
      "a broken rule: too many moves",
      "invalid_argument",
      last(inEnvelope(input(...Array<number>(33).fill(1)))),
    ),
    at(wire, "a broken rule: a move without a way", "invalid_argument", [
      messages(1),
      inEnvelope(Buffer.from([0x0a, 2, 0x20, 1])),
    ]),
  ];
}

function varint(value: number): Buffer {
  return Buffer.from([(value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14]);
}

/** Cases that differ in what the handler does. */
function handlerCases(wire: Wire): Case[] {
  const soon = { [wire.timeoutHeader]: wire.timeoutValue(80) };
  const draining = ErrorReason.DRAINING;
  const open = { ends: false };
  const code = codeToString(codeOf(draining) ?? Code.Internal);
  return [
    at(wire, "refused", code, messages(1, INPUT.refuse + draining)),
    at(wire, "refused before the end", code, messages(1, INPUT.refuse + draining), open),
    at(wire, "ended from the inside", code, messages(1, INPUT.endInside + draining), open),
    at(wire, "a bug", "internal", messages(1, INPUT.bug)),
    at(wire, "a bug before the end", "internal", messages(1, INPUT.bug), open),
    at(wire, "a bug at the end", "internal", messages(1, INPUT.bugAtEnd)),
    at(wire, "refused at the end", code, messages(1, INPUT.refuseAtEnd + draining)),
    at(wire, "an answer that does not fit", "internal", messages(1, INPUT.misfit)),
    at(wire, "held back", "ok", messages(1, INPUT.waitMs + 20, 2, INPUT.waitMs + 20, 3)),
    at(wire, "held back, then refused", code, messages(INPUT.waitMs + 20, INPUT.refuse + draining)),
    at(wire, "a deadline while held back", "deadline_exceeded", messages(INPUT.forever, 1), {
      headers: soon,
    }),
    at(wire, "a deadline while nothing comes", "deadline_exceeded", messages(1), {
      ...open,
      headers: soon,
    }),
    at(wire, "no login", "unauthenticated", messages(1), { headers: { authorization: "" } }),
    at(wire, "a wrong token, and no end", "unauthenticated", messages(1), {
      ...open,
      headers: { authorization: "Bearer wrong" },
    }),
    at(wire, "refused at the beginning", "failed_precondition", messages(1), {
      headers: { authorization: `Bearer ${TOKENS.builder}` },
    }),
    at(wire, "refused at the beginning, and no end", "failed_precondition", messages(1), {
      ...open,
      headers: { authorization: `Bearer ${TOKENS.builder}` },
    }),
  ];
}

/** Those whose body is unusual only within: it is no longer the adapter's then. */
function inputHeaderCases(wire: Wire): Case[] {
  return headerCases(wire, PATH, input(1)).map((one) =>
    one.name === "packed after all" ? { ...one, way: "short" } : one,
  );
}

describe.each(STREAM_WIRES)("a client stream: $name", (wire) => {
  test.each(inputHeaderCases(wire))("headers: $name", (one) => expectSame(wire, one));
  test.each(bodyCases(wire))("body: $name", (one) => expectSame(wire, one));
  test.each(handlerCases(wire))("handler: $name", (one) => expectSame(wire, one));

  test("the type of unary calls", () =>
    expectSame(wire, {
      ...at(wire, "", "unimplemented", input(1), {
        headers: { "content-type": "application/proto" },
      }),
      way: "adapter",
    }));

  test("more moves than the limit allows", async () => {
    const own = await startTwoWays({ pipeline: { now: () => 0 } });
    try {
      // The burst is 400: one for the stream, 384 for 12 full messages, 15 of the last 16.
      const full = inEnvelope(input(...Array<number>(32).fill(1)));
      const body = Buffer.concat([
        ...Array<Buffer>(12).fill(full),
        inEnvelope(input(...Array<number>(16).fill(1))),
      ]);
      await expectSameAnswer(own, wire, at(wire, "", "resource_exhausted", body, { ends: false }));
      expect(own.short.witness.taken).toBe(12);
      expect(own.adapter.witness.taken).toBe(12);
      await expectSameAnswer(own, wire, at(wire, "", "ok", messages(1, 2)));
    } finally {
      await own.close();
    }
  });
});

test("every client stream was closed once, on both ways", () => {
  const { short, adapter } = ways;
  expect(short.witness.closed.length).toBeGreaterThan(200);
  expect(short.witness.closed).toEqual(adapter.witness.closed);
});

test("both ways log the same bugs", () => {
  const errorsOf = ({ log }: TwoWays["short"]) =>
    log
      .filter(({ level }) => level === "error")
      .map(({ message, fields }) => `${message} ${String(fields["call"])}`);
  expect(errorsOf(ways.short).length).toBeGreaterThan(10);
  expect(errorsOf(ways.short).toSorted()).toEqual(errorsOf(ways.adapter).toSorted());
});
