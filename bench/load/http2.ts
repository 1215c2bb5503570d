import { createReassembler } from "./reassembler.ts";

// Just as much of HTTP/2 (RFC 9113) as a caller of gRPC needs. The windows are opened so wide at the start that
// none has to be renewed within a run, and headers are written without the dynamic table.

const FRAME = { data: 0, headers: 1, rst: 3, settings: 4, ping: 6, goaway: 7, window: 8 } as const;
const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;
const FRAME_HEAD_BYTES = 9;
const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const SETTING = { headerTableSize: 1, enablePush: 2, initialWindowSize: 4 } as const;
/** `:status: 200` as an indexed field of the static table. */
const STATUS_200 = 0x88;

/** What the answers of one connection are told to, by stream. */
export interface Http2Events {
  /** The first headers of an answer: whether its status is 200. */
  onHead(stream: number, isOk: boolean): void;
  onBody(stream: number, part: Buffer): void;
  onEnd(stream: number): void;
  /** The server ends the connection or resets a stream. */
  onFailure(reason: string): void;
}

/** The client's first bytes on a connection. */
export function createPreface(): Buffer {
  const settings = Buffer.alloc(18);
  settings.writeUInt16BE(SETTING.headerTableSize, 0);
  settings.writeUInt16BE(SETTING.enablePush, 6);
  settings.writeUInt16BE(SETTING.initialWindowSize, 12);
  settings.writeUInt32BE(MAX_WINDOW, 14);
  const window = Buffer.alloc(4);
  window.writeUInt32BE(MAX_WINDOW - DEFAULT_WINDOW);
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
    frame(FRAME.settings, 0, 0, settings),
    frame(FRAME.window, 0, 0, window),
  ]);
}

/** Reads the frames of a server; `reply` sends what the protocol asks for. */
export function createHttp2Reader(
  events: Http2Events,
  reply: (bytes: Buffer) => void,
): (chunk: Buffer) => void {
  const answered = new Set<number>();

  function onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case FRAME.data:
        if (payload.length > 0) events.onBody(stream, payload);
        break;
      case FRAME.headers:
        // The second headers of a stream are its trailers.
        if (!answered.has(stream)) {
          answered.add(stream);
          events.onHead(stream, payload.includes(STATUS_200));
        }
        break;
      case FRAME.settings:
        if ((flags & FLAG.ack) === 0) reply(frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)));
        return;
      case FRAME.ping:
        if ((flags & FLAG.ack) === 0) reply(frame(FRAME.ping, FLAG.ack, 0, payload));
        return;
      case FRAME.rst:
      case FRAME.goaway:
        events.onFailure(type === FRAME.rst ? "a stream was reset" : "the server said goodbye");
        return;
      default:
        return;
    }
    if ((flags & FLAG.endStream) === 0) return;
    answered.delete(stream);
    events.onEnd(stream);
  }

  return createReassembler((bytes) => {
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const end = at + FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      const payload = bytes.subarray(at + FRAME_HEAD_BYTES, end);
      onFrame(bytes[at + 3] as number, bytes[at + 4] as number, stream, payload);
      at = end;
    }
    return at;
  });
}

/** The block of headers of a call, each as a literal that is not indexed (RFC 7541, 6.2.2). */
export function createHeaderBlock(path: string, headers: Readonly<Record<string, string>>): Buffer {
  const all = { ":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1" };
  const fields = Object.entries({ ...all, ...headers }).map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), literal(name), literal(value)]),
  );
  return Buffer.concat(fields);
}

/** A whole call: its headers and its one message. */
export function createCall(stream: number, block: Buffer, body: Uint8Array): Buffer {
  return Buffer.concat([
    frame(FRAME.headers, FLAG.endHeaders, stream, block),
    frame(FRAME.data, FLAG.endStream, stream, body),
  ]);
}

/** The headers of a call whose messages come later, by {@link createData}. */
export function createOpenCall(stream: number, block: Buffer): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders, stream, block);
}

/** A message of a call that stays open. */
export function createData(stream: number, body: Uint8Array): Buffer {
  return frame(FRAME.data, 0, stream, body);
}

function literal(text: string): Buffer {
  const prefix = text.length < 127 ? [text.length] : [127, text.length - 127];
  return Buffer.concat([Buffer.from(prefix), Buffer.from(text, "latin1")]);
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEAD_BYTES);
  return bytes;
}
