import http2 from "node:http2";
import type { Socket } from "node:net";
import type { WireProtocol } from "./preface.ts";

/** How long a client may take to read that it is refused. */
export const REFUSAL_TIMEOUT_MS = 2_000;

const WHY = "This port speaks TLS only: use https:// (gRPC: TLS credentials).\n";

const HTTP1_REFUSAL = Buffer.from(
  [
    "HTTP/1.1 400 Bad Request",
    "content-type: text/plain; charset=utf-8",
    `content-length: ${WHY.length}`,
    "cache-control: no-store",
    "connection: close",
    "",
    WHY,
  ].join("\r\n"),
);

/** An empty SETTINGS frame, with which a server begins (RFC 9113, 3.4), and a GOAWAY frame with the reason (6.8). */
const HTTP2_REFUSAL = Buffer.concat([
  frame(0x4, Buffer.alloc(0)),
  frame(0x7, goAway(http2.constants.NGHTTP2_INADEQUATE_SECURITY, WHY.trimEnd())),
]);

/** Tells a client that came without TLS that it is needed here, and closes its connection. Its request is neither read nor carried out. */
export function refusePlaintext(socket: Socket, protocol: WireProtocol): void {
  const timer = setTimeout(() => socket.destroy(), REFUSAL_TIMEOUT_MS);
  socket.on("close", () => clearTimeout(timer));
  // What the client still sends is read and dropped: closing with something unread would reset the connection and lose the answer.
  socket.on("end", () => socket.destroy());
  socket.resume();
  socket.end(protocol === "http2" ? HTTP2_REFUSAL : HTTP1_REFUSAL);
}

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  return Buffer.concat([head, payload]);
}

function goAway(code: number, why: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, Buffer.from(why)]);
}
