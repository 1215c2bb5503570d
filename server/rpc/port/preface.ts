import type { Socket } from "node:net";

/** Which protocol a connection speaks. */
export type WireProtocol = "http1" | "http2" | "tls";

// HTTP/2 begins with "PRI * HTTP/2.0" (RFC 9113, 3.4), and no method of HTTP/1.1 begins with these three letters.
const HTTP2_START = Buffer.from("PRI");

// A record of TLS that holds a handshake (RFC 8446, 5.1): how every TLS connection begins, and no method of HTTP.
const TLS_HANDSHAKE = 22;

/** Which protocol the first bytes of a connection belong to. Undefined: more are needed. */
export function protocolOf(head: Buffer): WireProtocol | undefined {
  if (head[0] === TLS_HANDSHAKE) return "tls";
  const known = Math.min(head.length, HTTP2_START.length);
  if (head.compare(HTTP2_START, 0, known, 0, known) !== 0) return "http1";
  return known === HTTP2_START.length ? "http2" : undefined;
}

/**
 * Waits for a connection's first bytes, puts them back, and says which protocol it speaks. The socket is paused then. One that
 * ends, or does not say enough within `timeoutMs`, is destroyed.
 */
export function peekProtocol(
  socket: Socket,
  timeoutMs: number,
  onProtocol: (protocol: WireProtocol) => void,
): void {
  let head: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);

  function stop(): void {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.off("close", stop);
  }
  function onEnd(): void {
    socket.destroy();
  }
  function onData(chunk: Buffer): void {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const protocol = protocolOf(head);
    if (protocol === undefined) return;
    stop();
    socket.pause();
    socket.unshift(head);
    onProtocol(protocol);
  }
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("close", stop);
}
