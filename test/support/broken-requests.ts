import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { namingRequests } from "./naming-requests.ts";
import { inEnvelope, STREAM_WIRES, UNARY_WIRES } from "./wire.ts";
import type { Wire, WireAnswer, WirePart, WireRequest } from "./wire.ts";

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

/** Requests of these calls in every protocol, most of them broken. */
export function brokenRequests(methods: readonly DescMethod[]): fc.Arbitrary<BrokenRequest> {
  const wires = fc.nat(UNARY_WIRES.length - 1);
  return fc.record({ method: fc.constantFrom(...methods), wires, broken: breaks }).map((drawn) => {
    const { method, broken } = drawn;
    const all = method.methodKind === "unary" ? UNARY_WIRES : STREAM_WIRES;
    const wire = all[drawn.wires] as Wire;
    const [naming] = namingRequests(method.input, "somebody");
    const good = toBinary(method.input, naming ?? create(method.input));
    const request = {
      http: wire.http,
      path: `/${method.parent.typeName}/${method.name}`,
      headers: { "content-type": wire.contentType },
      body: bodyOf(wire, good, broken),
    };
    return { method, wire, broken: broken.by, request };
  });
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
    case "nothing":
      return whole;
  }
}

/** The type of the first detail of an answer's error; undefined: it has none. */
export function detailOf({ body, trailers }: WireAnswer): string | undefined {
  const last = Array.isArray(body) ? (body.at(-1) as WirePart | undefined) : undefined;
  const json = last?.flags === 2 ? (last.data as { error?: unknown }).error : body;
  const details = (json as { details?: { type: string }[] } | undefined)?.details;
  if (details) return details[0]?.type;
  const end = last?.flags === 0x80 ? (last.data as Record<string, unknown>) : trailers;
  const packed = end["grpc-status-details-bin"];
  if (typeof packed !== "string") return undefined;
  const text = Buffer.from(packed, "base64").toString("latin1");
  return /type\.googleapis\.com\/([\w.]+)/.exec(text)?.[1];
}
