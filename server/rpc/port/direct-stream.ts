import type { IncomingHttpHeaders, Http2Session, ServerHttp2Stream } from "node:http2";
import type { Logger } from "../../logger.ts";
import type { DirectCall, DirectHandler } from "../transport/direct-answer.ts";
import { Http2Answer } from "../transport/direct-http2-answer.ts";

/** The largest body that is read here, in bytes. */
export const MAX_DIRECT_STREAM_BYTES = 65_536;

/** What streams need that are answered directly. */
export interface DirectStreamOptions {
  readonly handler: DirectHandler;
  readonly logger: Logger;
}

/** Takes a stream of HTTP/2 that has begun, with the names and values of its head in turns. False: it is none for it, and nothing was done. */
export type DirectStreams = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  /** Gives it to Node's request and response after all. What was read of it was put back. */
  handOver: () => void,
) => boolean;

/** How requests with a head are answered. */
interface Route {
  readonly rawHeaders: readonly string[];
  readonly call: DirectCall;
}

/**
 * Answers requests of HTTP/2 that come in one go and in plain form without Node's `Http2ServerRequest` and `Http2ServerResponse`: with their
 * second pair of streams they cost a sixth of such a call. What does not end within the turn of the event loop in which it began, or
 * turns out to be unusual, is theirs.
 */
export function createDirectStreams({ handler, logger }: DirectStreamOptions): DirectStreams {
  /** That of the last request: of nearly all requests of a connection the head is the same. */
  const routes = new WeakMap<Http2Session, Route>();

  function routeOf(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): Route | undefined {
    const { session } = stream;
    if (session === undefined || stream.endAfterHeaders || headers.expect !== undefined) {
      return undefined;
    }
    const known = routes.get(session);
    if (known && isSame(known.rawHeaders, rawHeaders)) return known;
    const { ":method": method, ":path": url } = headers;
    const call = handler({
      ...{ method, url, headers, socket: session.socket },
      httpVersionMajor: 2,
      httpVersionMinor: 0,
    });
    if (call === undefined) return undefined;
    const route = { rawHeaders, call };
    routes.set(session, route);
    return route;
  }

  return (stream, headers, rawHeaders, handOver) => {
    const route = routeOf(stream, headers, rawHeaders);
    if (route === undefined) return false;
    let body: Buffer | undefined;

    function giveUp(): void {
      stop();
      // Nobody is left to be told.
      if (stream.destroyed) return;
      if (body !== undefined) stream.unshift(body);
      handOver();
    }
    function stop(): void {
      clearImmediate(late);
      stream.off("readable", onReadable);
    }
    // There are bytes, or else this was the end of them.
    function onReadable(): void {
      if (stream.readableLength === 0) {
        answer();
        return;
      }
      const piece = stream.read() as Buffer;
      body = body === undefined ? piece : Buffer.concat([body, piece]);
      if (body.length > MAX_DIRECT_STREAM_BYTES) giveUp();
    }
    function answer(): void {
      const run = body && (route as Route).call(body);
      if (run === undefined) {
        giveUp();
        return;
      }
      stop();
      // It has ended, and is told so.
      stream.read();
      try {
        run(new Http2Answer(stream));
      } catch (error) {
        logger.error({ err: error }, "a request failed");
        stream.destroy();
      }
    }
    const late = setImmediate(giveUp);
    stream.on("readable", onReadable);
    return true;
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
