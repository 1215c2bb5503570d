import type { OutgoingHttpHeaders } from "node:http";
import type { Http2ServerResponse } from "node:http2";
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
export function sendWhole(response: PortResponse, frame: Frame, body: Uint8Array): void {
  if (isOver(response)) return;
  if ("stream" in response) {
    beginHttp2(response, frame.status, frame.headers, frame.trailers !== undefined);
    endHttp2(response, body, frame.trailers);
    return;
  }
  response.writeHead(frame.status, { ...frame.headers, "content-length": body.length });
  response.end(body);
}

/** Sends a part of a body, and before the first the status 200 and the headers. False when the client does not take it at present, or never will. */
export function sendPart(
  response: PortResponse,
  headers: OutgoingHttpHeaders,
  hasTrailers: boolean,
  part: Uint8Array,
): boolean {
  if (isOver(response)) return false;
  if ("stream" in response) {
    if (!response.stream.headersSent) beginHttp2(response, 200, headers, hasTrailers);
    return response.stream.write(part);
  }
  if (!response.headersSent) response.writeHead(200, headers);
  return response.write(part);
}

/** Ends a body of which parts were sent, with a last one. Nothing happens when the response is closed or ended. */
export function sendLast(
  response: PortResponse,
  part: Uint8Array,
  trailers: OutgoingHttpHeaders | undefined,
): void {
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
