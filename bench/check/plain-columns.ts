/** Bytes that one number takes at most. */
const MAX_VARINT_BYTES = 5;
const LOW_BITS = 0x7f;
const MORE = 0x80;

/** Writes columns of numbers in the plainest way, and owes nothing to the server's own writer, with which it is compared. */
export interface PlainColumns {
  /** The ids of some items and where they are from an origin, as varints; a copy comes back. */
  write(
    items: readonly number[],
    xs: Int32Array,
    ys: Int32Array,
    origin: number,
  ): Uint8Array<ArrayBuffer>;
}

/** Columns with room for so many items at once. */
export function createPlainColumns(capacity: number): PlainColumns {
  const buffer = new Uint8Array(capacity * 3 * MAX_VARINT_BYTES);
  let at = 0;

  function varint(value: number): void {
    let rest = value;
    while (rest > LOW_BITS) {
      buffer[at++] = (rest & LOW_BITS) | MORE;
      rest >>>= 7;
    }
    buffer[at++] = rest;
  }

  function signed(value: number): void {
    varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  return {
    write(items, xs, ys, origin) {
      at = 0;
      for (const item of items) varint(item);
      for (const item of items) signed((xs[item] as number) - (xs[origin] as number));
      for (const item of items) signed((ys[item] as number) - (ys[origin] as number));
      return buffer.slice(0, at);
    },
  };
}
