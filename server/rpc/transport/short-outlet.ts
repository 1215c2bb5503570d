import type { OutgoingHttpHeaders } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { DirectAnswer, type WholeResponse } from "./direct-answer.ts";
import { latin1Of, MAX_TEXT_BYTES } from "./direct-http1-answer.ts";
import { ENVELOPE_BYTES, envelope, writeEnvelopeHead } from "./envelope.ts";
import { flushOutbox, writeSoon } from "./outbox.ts";
import type { PortResponse } from "./plain-answer.ts";
import { isClosed } from "./short-call.ts";

/** What stands around the body of an answer. */
export interface Frame {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** For HTTP/2 only. Undefined: none, which is cheaper than an empty set. */
  readonly trailers: OutgoingHttpHeaders | undefined;
}

/** Sends a whole answer, in one write. Nothing happens when the response is closed or ended. */
export function sendWhole(response: WholeResponse, frame: Frame, body: Uint8Array): void {
  if (response instanceof DirectAnswer) {
    response.send(frame.status, frame.headers, body, frame.trailers);
    return;
  }
  if (isOver(response)) return;
  if ("stream" in response) {
    beginHttp2(response, frame.status, frame.headers, frame.trailers !== undefined);
    endHttp2(response, body, frame.trailers);
    return;
  }
  response.writeHead(frame.status, { ...frame.headers, "content-length": body.length });
  // Node writes the head and a short text in one piece, but the head and bytes in two, which costs more than the copy.
  if (body.length <= MAX_TEXT_BYTES) response.end(latin1Of(body), "latin1");
  else response.end(body);
}

/** Sends a message in an envelope, and before the first the status 200 and the headers. False when the client does not take it at present, or never will. */
export function sendMessage(response: PortResponse, frame: Frame, message: Uint8Array): boolean {
  if (isOver(response)) return false;
  if ("stream" in response) {
    if (!response.stream.headersSent) {
      beginHttp2(response, 200, frame.headers, frame.trailers !== undefined);
    }
    return response.stream.write(envelope(0, message));
  }
  if (!response.headersSent) {
    response.writeHead(200, frame.headers);
  } else if (message.length <= MAX_CHUNK_BYTES && response.chunkedEncoding) {
    const { socket } = response;
    // With nothing waiting to be written it also says that there is room.
    if (socket !== null && response.writableLength === 0) {
      writeSoon(socket, chunkOf(message));
      return true;
    }
  }
  flushOutbox();
  return response.write(envelope(0, message));
}

/** Messages up to this size are copied into one chunk; larger ones cost less as several buffers. Far less than what a socket takes at once. */
const MAX_CHUNK_BYTES = 8_192;
const CR = 13;
const LF = 10;

/** A message in an envelope in a chunk of HTTP/1.1 (RFC 9112, 7.1). Written as it is to the connection, it costs a quarter less than the same through the response. */
function chunkOf(message: Uint8Array): Uint8Array {
  const size = ENVELOPE_BYTES + message.length;
  const digits = size.toString(16);
  const start = digits.length + 2;
  const bytes = Buffer.allocUnsafe(start + size + 2);
  bytes.write(digits, 0, "latin1");
  bytes[start - 2] = CR;
  bytes[start - 1] = LF;
  writeEnvelopeHead(bytes, start, 0, message.length);
  bytes.set(message, start + ENVELOPE_BYTES);
  bytes[start + size] = CR;
  bytes[start + size + 1] = LF;
  return bytes;
}

/** Ends a body of which parts were sent, with a last one. Nothing happens when the response is closed or ended. */
export function sendLast(
  response: PortResponse,
  part: Uint8Array,
  trailers: OutgoingHttpHeaders | undefined,
): void {
  flushOutbox();
  if (isOver(response)) return;
  if ("stream" in response) endHttp2(response, part, trailers);
  else response.end(part);
}

function isOver(response: PortResponse): boolean {
  return isClosed(response) || response.writableEnded;
}

// The stream's own methods: those of the response do the same with more steps.
function beginHttp2(
  response: Http2ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  waitForTrailers: boolean,
): void {
  const all = { ...response.getHeaders(), ...headers, ":status": status };
  response.stream.respond(all, { waitForTrailers });
}

function endHttp2(
  response: Http2ServerResponse,
  part: Uint8Array,
  trailers: OutgoingHttpHeaders | undefined,
): void {
  // The response sends them when its stream asks for them.
  if (trailers !== undefined) response.addTrailers(trailers);
  if (part.length === 0) response.stream.end();
  else response.stream.end(part);
}
