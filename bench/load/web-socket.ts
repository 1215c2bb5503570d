import { createReassembler } from "./reassembler.ts";

const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const;
const FINAL = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
const HEAD_END = "\r\n\r\n";

/** What a connection's messages are told to. */
export interface WebSocketEvents {
  onOpen(): void;
  onMessage(message: Buffer): void;
  onFailure(reason: string): void;
}

/** The request that makes a connection a WebSocket. The key is the example of RFC 6455: nobody checks it here. */
export function createUpgrade(path: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
  );
}

/** Reads what a server sends: the answer to the upgrade, then whole frames; `reply` answers pings. */
export function createWebSocketReader(
  events: WebSocketEvents,
  reply: (bytes: Buffer) => void,
): (chunk: Buffer) => void {
  let isOpen = false;

  function readHead(bytes: Buffer): number {
    const end = bytes.indexOf(HEAD_END, 0, "latin1");
    if (end < 0) return 0;
    if (bytes.toString("latin1", 0, 12) !== "HTTP/1.1 101")
      events.onFailure(bytes.toString("latin1", 0, end));
    isOpen = true;
    events.onOpen();
    return end + HEAD_END.length;
  }

  return createReassembler((bytes) => {
    let at = isOpen ? 0 : readHead(bytes);
    while (isOpen && bytes.length - at >= 2) {
      const short = (bytes[at + 1] as number) & 127;
      const begin = at + (short === LENGTH_16 ? 4 : short === LENGTH_64 ? 10 : 2);
      if (begin > bytes.length) break;
      const size =
        short === LENGTH_16
          ? bytes.readUInt16BE(at + 2)
          : short === LENGTH_64
            ? Number(bytes.readBigUInt64BE(at + 2))
            : short;
      if (begin + size > bytes.length) break;
      const payload = bytes.subarray(begin, begin + size);
      const opcode = (bytes[at] as number) & 15;
      if (opcode === OPCODE.binary) events.onMessage(payload);
      else if (opcode === OPCODE.ping) reply(createFrame(payload, OPCODE.pong));
      else if (opcode === OPCODE.close) events.onFailure("the server closed the WebSocket");
      at = begin + size;
    }
    return at;
  });
}

/** A binary message as a frame. The mask is zero, which the protocol allows and which spares the masking. */
export function createFrame(message: Uint8Array, opcode: number = OPCODE.binary): Buffer {
  if (message.length >= LENGTH_16) throw new Error("only short messages are sent");
  const bytes = Buffer.alloc(2 + MASK_BYTES + message.length);
  bytes[0] = FINAL | opcode;
  bytes[1] = MASKED | message.length;
  bytes.set(message, 2 + MASK_BYTES);
  return bytes;
}
