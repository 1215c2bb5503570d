import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request over HTTP/1.1 or HTTP/2. */
export type PortRequest = IncomingMessage | Http2ServerRequest;
/** Its answer. */
export type PortResponse = ServerResponse | Http2ServerResponse;

/** The content type of a text for people. */
export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** Sends a whole answer that is no call's. Caches must not keep it. */
export function sendPlain(
  request: PortRequest,
  response: PortResponse,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.setHeader("cache-control", "no-store");
  response.setHeader("content-type", PLAIN_TEXT);
  response.setHeader("content-length", Buffer.byteLength(body));
  response.setHeader("x-content-type-options", "nosniff");
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.statusCode = status;
  // Both kinds take a string here, but the types of their overloads do not meet.
  (response as ServerResponse).end(request.method === "HEAD" ? undefined : body);
}

/** The path of a request, without its query. */
export function pathOf(request: PortRequest): string {
  const url = request.url ?? "";
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
