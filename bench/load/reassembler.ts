/**
 * Puts a stream of chunks together again: `consume` is given all bytes that wait and answers how many it has used
 * up; what it leaves is given again with the next chunk.
 */
export function createReassembler(consume: (bytes: Buffer) => number): (chunk: Buffer) => void {
  let rest: Buffer | undefined;
  return (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    const used = consume(bytes);
    rest = used < bytes.length ? bytes.subarray(used) : undefined;
  };
}

/** Bytes before each message of a Connect stream and of gRPC: a byte of flags and the length. */
export const ENVELOPE_BYTES = 5;

/** Takes messages out of their envelopes. */
export function createEnvelopeReader(
  onMessage: (flags: number, message: Buffer) => void,
): (chunk: Buffer) => void {
  return createReassembler((bytes) => {
    let at = 0;
    while (bytes.length - at >= ENVELOPE_BYTES) {
      const end = at + ENVELOPE_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      onMessage(bytes[at] as number, bytes.subarray(at + ENVELOPE_BYTES, end));
      at = end;
    }
    return at;
  });
}

/** A message in its envelope. */
export function envelope(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(ENVELOPE_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, ENVELOPE_BYTES);
  return bytes;
}
