/** Types of HTTP/2's frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** How a client begins: the preface, and an empty SETTINGS frame. */
export const OPENING = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame({ type: FRAME.settings }),
]);

/** A frame, whether it makes sense or not. */
export function frame(options: {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array;
  /** What it says of its length. Default: the truth. */
  readonly length?: number;
}): Buffer {
  const { type, flags = 0, stream = 0, payload = new Uint8Array(0) } = options;
  const head = Buffer.alloc(9);
  head.writeUIntBE(options.length ?? payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const END_STREAM = 1;
const END_HEADERS = 4;

/** The head of a request, with names and values written out (RFC 7541, 6.2.2). */
export function requestHead(path: string, stream: number, { ends = false } = {}): Buffer {
  const fields = { ":method": "POST", ":scheme": "http", ":authority": "x", ":path": path };
  const all = { ...fields, "content-type": "application/proto" };
  const payload = Buffer.concat(
    Object.entries(all).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]),
  );
  const flags = END_HEADERS | (ends ? END_STREAM : 0);
  return frame({ type: FRAME.headers, flags, stream, payload });
}

/** A text of fewer than 127 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}
