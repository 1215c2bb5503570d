/** Bytes before an enveloped message: a byte of flags and four of the length, big-endian. */
export const ENVELOPE_BYTES = 5;

/** Writes the head of an envelope. */
export function writeEnvelopeHead(into: Uint8Array, at: number, flags: number, size: number): void {
  into[at] = flags;
  into[at + 1] = size >>> 24;
  into[at + 2] = size >>> 16;
  into[at + 3] = size >>> 8;
  into[at + 4] = size;
}

/** The size that the head of an envelope tells; undefined when its flags say that it is no plain message. */
export function plainSizeOf(head: Uint8Array): number | undefined {
  if (head[0] !== 0) return undefined;
  const [, a = 0, b = 0, c = 0, d = 0] = head;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** Data in an envelope. */
export function envelope(flags: number, data: Uint8Array): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES + data.length);
  writeEnvelopeHead(bytes, 0, flags, data.length);
  bytes.set(data, ENVELOPE_BYTES);
  return bytes;
}
