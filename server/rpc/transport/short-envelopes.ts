import { ENVELOPE_BYTES, plainSizeOf } from "./envelope.ts";

/** What comes next in a stream of envelopes. */
export type NextEnvelope =
  /** A plain message. */
  | { readonly kind: "message"; readonly data: Uint8Array }
  /** More bytes are needed. */
  | { readonly kind: "more" }
  /** It is packed, too large, or no message at all. */
  | { readonly kind: "unusual" };

/** Takes plain messages out of their envelopes, as their bytes come. */
export interface EnvelopeReader {
  push(chunk: Uint8Array): void;
  /** What is next. A message stays the next one until it is skipped. */
  peek(): NextEnvelope;
  /** Goes on behind the message that was peeked at. */
  skip(): void;
  /** The bytes that were not skipped, in one piece. */
  rest(): Uint8Array;
  /** Whether all were. */
  readonly isEmpty: boolean;
}

const MORE: NextEnvelope = { kind: "more" };
const UNUSUAL: NextEnvelope = { kind: "unusual" };
const NOTHING = new Uint8Array(0);

/** A reader of messages of at most so many bytes. It holds no more than one message and a chunk. */
export function createEnvelopeReader(maxBytes: number): EnvelopeReader {
  /** The chunk that is read, and those behind it, which are joined only when a message is whole. */
  let chunks: Uint8Array[] = [];
  let at = 0;
  let available = 0;
  /** How many bytes the envelope takes with its head; known once the head is there. */
  let wanted = ENVELOPE_BYTES;

  /** The bytes from the present place on, in one piece. */
  function joined(): Uint8Array {
    const [first = NOTHING] = chunks;
    if (chunks.length === 1) return first;
    const whole = Buffer.concat([first.subarray(at), ...chunks.slice(1)]);
    chunks = [whole];
    at = 0;
    return whole;
  }

  return {
    push(chunk) {
      chunks.push(chunk);
      available += chunk.length;
    },
    peek() {
      if (available < wanted) return MORE;
      const bytes = joined();
      const size = plainSizeOf(bytes.subarray(at, at + ENVELOPE_BYTES));
      if (size === undefined || size > maxBytes) return UNUSUAL;
      wanted = ENVELOPE_BYTES + size;
      if (available < wanted) return MORE;
      return { kind: "message", data: bytes.subarray(at + ENVELOPE_BYTES, at + wanted) };
    },
    skip() {
      at += wanted;
      available -= wanted;
      wanted = ENVELOPE_BYTES;
      if (available > 0) return;
      chunks = [];
      at = 0;
    },
    rest: () => joined().subarray(at),
    get isEmpty() {
      return available === 0;
    },
  };
}
