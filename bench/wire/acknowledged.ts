// What an `UpdateResponse` says of Moves, found without reading the rest: thousands of them come to the generator a second.

const ACKNOWLEDGED = 11;
const REFUSED = 12;
const WIRE = { varint: 0, bits64: 1, bytes: 2, bits32: 5 } as const;

/** What a serialized `UpdateResponse` says of Moves. */
export interface Acknowledged {
  /** The sequence of the last Move that it includes; 0: none. */
  readonly sequence: number;
  /** Whether it tells of a refused Move. */
  readonly hasRefused: boolean;
}

/** Reads it from the fields at the top of a message. Throws when the bytes are no message. */
export function readAcknowledged(message: Buffer): Acknowledged {
  let sequence = 0;
  let hasRefused = false;
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("an update breaks off");
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  while (at < message.length) {
    const tag = varint();
    const field = tag >>> 3;
    switch (tag & 7) {
      case WIRE.varint: {
        const value = varint();
        if (field === ACKNOWLEDGED) sequence = value;
        break;
      }
      case WIRE.bytes: {
        const size = varint();
        at += size;
        hasRefused ||= field === REFUSED;
        break;
      }
      case WIRE.bits64:
        at += 8;
        break;
      case WIRE.bits32:
        at += 4;
        break;
      default:
        throw new Error(`an update has a field of type ${tag & 7}`);
    }
  }
  return { sequence, hasRefused };
}
