import type { OutgoingHttpHeaders } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { DirectAnswer } from "./direct-answer.ts";

/** The answer to one request of HTTP/2. */
export class Http2Answer extends DirectAnswer {
  readonly outlet: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    super();
    this.outlet = stream;
  }

  override get destroyed(): boolean {
    return this.outlet.destroyed || this.outlet.closed;
  }

  override send(
    status: number,
    headers: OutgoingHttpHeaders,
    body: Uint8Array,
    trailers: OutgoingHttpHeaders | undefined,
  ): void {
    if (this.headersSent || this.destroyed) return;
    this.headersSent = true;
    const { outlet: stream } = this;
    const waitForTrailers = trailers !== undefined;
    stream.respond({ ...this.headers, ...headers, ":status": status }, { waitForTrailers });
    if (waitForTrailers) stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    if (body.length === 0) stream.end();
    else stream.end(body);
  }
}
