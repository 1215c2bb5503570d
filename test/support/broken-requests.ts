import { create, type DescMethod, type Message, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { namingRequests } from "./naming-requests.ts";
import { randomMessages } from "./random-messages.ts";
import { inEnvelope, STREAM_WIRES, UNARY_WIRES } from "./wire.ts";
import type { Wire, WireRequest } from "./wire.ts";

/** The size that an envelope says which holds far less. */
const GIANT_BYTES = 0xffff_fff0;

const bytes = fc.uint8Array({ maxLength: 300 });

/** How a body is broken, if it is. */
const breaks = fc.oneof(
  fc.record({ by: fc.constant("random bytes" as const), bytes }),
  fc.record({ by: fc.constant("bytes in an envelope" as const), bytes, flags: fc.nat(255) }),
  fc.record({ by: fc.constant("a giant length" as const), bytes }),
  fc.record({ by: fc.constant("a flipped bit" as const), at: fc.nat(10_000) }),
  fc.record({ by: fc.constant("an early end" as const), at: fc.nat(10_000) }),
  fc.record({
    by: fc.constant("too many messages" as const),
    count: fc.integer({ min: 2, max: 4 }),
  }),
  fc.record({
    by: fc.constant("other bytes" as const),
    changes: fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    by: fc.constant("a piece twice" as const),
    from: fc.nat(10_000),
    length: fc.nat(40),
  }),
  fc.record({ by: fc.constant("nothing" as const) }),
);

type Break = typeof breaks extends fc.Arbitrary<infer T> ? T : never;

/** A request that may be broken in some way. */
export interface BrokenRequest {
  readonly method: DescMethod;
  readonly wire: Wire;
  readonly broken: Break["by"];
  readonly request: WireRequest;
}

/** How long the server may take, as it is told: streams would not end otherwise. */
const TIMEOUT_MS = 1_000;

/** Requests of these calls in every protocol, most of them broken. */
export function brokenRequests(methods: readonly DescMethod[]): fc.Arbitrary<BrokenRequest> {
  return fc.constantFrom(...methods).chain((method) => {
    const all = method.methodKind === "unary" ? UNARY_WIRES : STREAM_WIRES;
    const wire = fc.constantFrom(...all.filter(({ secured }) => !secured));
    const [naming] = namingRequests(method.input, "somebody");
    const named = fc.constant(naming ?? create(method.input));
    const message = fc.oneof(named, randomMessages(method.input));
    return fc
      .record({ wire, message, broken: breaks })
      .map((drawn) => requestOf(method, drawn.wire, drawn.message, drawn.broken));
  });
}

function requestOf(method: DescMethod, wire: Wire, message: Message, broken: Break): BrokenRequest {
  const request = {
    http: wire.http,
    path: `/${method.parent.typeName}/${method.name}`,
    headers: {
      "content-type": wire.contentType,
      [wire.timeoutHeader]: wire.timeoutValue(TIMEOUT_MS),
    },
    body: bodyOf(wire, toBinary(method.input, message), broken),
  };
  return { method, wire, broken: broken.by, request };
}

function bodyOf(wire: Wire, good: Uint8Array, broken: Break): Uint8Array {
  const whole = wire.enveloped ? inEnvelope(good) : Buffer.from(good);
  switch (broken.by) {
    case "random bytes":
      return broken.bytes;
    case "bytes in an envelope":
      return inEnvelope(broken.bytes, broken.flags);
    case "a giant length":
      return inEnvelope(broken.bytes, 0, GIANT_BYTES);
    case "a flipped bit": {
      const changed = Buffer.from(whole);
      const at = broken.at % Math.max(1, whole.length * 8);
      if (changed.length > 0) changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      return changed;
    }
    case "an early end":
      return whole.subarray(0, broken.at % Math.max(1, whole.length));
    case "too many messages":
      return Buffer.concat(Array.from({ length: broken.count }, () => whole));
    case "other bytes": {
      const changed = Buffer.from(whole);
      for (const [at, byte] of broken.changes) {
        if (changed.length > 0) changed[at % changed.length] = byte;
      }
      return changed;
    }
    case "a piece twice": {
      const from = broken.from % Math.max(1, whole.length);
      const end = from + broken.length;
      return Buffer.concat([whole.subarray(0, end), whole.subarray(from)]);
    }
    case "nothing":
      return whole;
  }
}
