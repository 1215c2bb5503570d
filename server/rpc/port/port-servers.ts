import http from "node:http";
import http2 from "node:http2";
import type { Logger } from "../../logger.ts";
import type { DirectStreams } from "./direct-stream.ts";
import { type PortRequest, type PortResponse, sendPlain } from "../transport/plain-answer.ts";

/** How long the headers of an HTTP/1.1 request may take. */
export const HEADERS_TIMEOUT_MS = 15_000;
/** How long a whole HTTP/1.1 request may take to arrive. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How long an HTTP/1.1 connection may stay open between requests: longer than the minute after which proxies close theirs, so that they never use one that is just being closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How much longer it stays open than its client is told, so that none is closed that is just being used. */
export const KEEP_ALIVE_BUFFER_MS = 1_000;
/** After so long without a word, an HTTP/2 connection is closed if no call is open on it, and asked whether it still lives if one is. */
export const IDLE_SESSION_TIMEOUT_MS = 120_000;
/** Calls that may be open at once on one HTTP/2 connection; clients wait with those beyond. */
export const MAX_CONCURRENT_STREAMS = 1_000;
/** After so long without a word, the system asks a connection's other end whether it still lives. */
export const TCP_KEEP_ALIVE_DELAY_MS = 30_000;

/** Answers a request of either protocol. */
export type RequestHandler = (request: PortRequest, response: PortResponse) => void;

/** A session of HTTP/2. */
export type Session = http2.ServerHttp2Session;

/** An error of a connection also closes it, and whoever uses it is told by that. Without a listener it would end the process. */
export function ignore(): void {}

/** A handler whose bugs are answered with 500 and logged. */
export function guard(handler: RequestHandler, logger: Logger): RequestHandler {
  return (request, response) => {
    try {
      handler(request, response);
    } catch (error) {
      logger.error({ err: error, url: request.url }, "a request failed");
      if (response.headersSent) {
        response.destroy();
        return;
      }
      sendPlain(request, response, 500, "internal error\n");
    }
  };
}

/** The server for HTTP/1.1. While it drains, connections are closed behind their answers. */
export function createHttp1Server(
  options: http.ServerOptions,
  handle: RequestHandler,
  isDraining: () => boolean,
): http.Server {
  const server = http.createServer(http1Options(options), (request, response) => {
    request.on("error", ignore);
    response.on("error", ignore);
    if (isDraining()) response.setHeader("connection", "close");
    response.on("close", () => {
      if (isDraining()) setImmediate(() => server.closeIdleConnections());
    });
    handle(request, response);
  });
  return server;
}

/** What the server for HTTP/2 is made of. */
export interface Http2Options {
  readonly http2: http2.ServerOptions;
  /** After so long without a word a session is closed, or asked whether it lives. */
  readonly idleSessionTimeoutMs: number;
  readonly handle: RequestHandler;
  /** Answers streams without Node's requests and responses. Undefined: none are answered so. */
  readonly direct?: DirectStreams | undefined;
  /** Holds the sessions that are open: a server that never listens cannot tell them. */
  readonly sessions: Set<Session>;
  /** Holds their streams. */
  readonly streams: Set<http2.ServerHttp2Stream>;
}

/** The server for HTTP/2. It never listens, but is handed its connections. */
export function createHttp2Server(options: Http2Options): http2.Http2Server {
  const { sessions, streams, direct } = options;
  // Makes requests and responses of the streams that it is given: it has no connections of its own.
  const requests = http2.createServer(options.handle);
  const server = http2.createServer(http2Options(options.http2));
  server.on("stream", (stream, headers, flags, rawHeaders) => {
    stream.on("error", ignore);
    const giveToNode = () => void requests.emit("stream", stream, headers, flags, rawHeaders);
    if (!direct?.(stream, headers, rawHeaders, giveToNode)) giveToNode();
  });
  server.on("sessionError", ignore);
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", ignore);
    session.on("close", () => sessions.delete(session));
    watchSession(session, options.idleSessionTimeoutMs, streams);
  });
  return server;
}

function http1Options(options: http.ServerOptions): http.ServerOptions {
  return {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    keepAliveTimeoutBuffer: KEEP_ALIVE_BUFFER_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS,
    noDelay: true,
    ...options,
  };
}

function http2Options(options: http2.ServerOptions): http2.ServerOptions {
  return {
    ...options,
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, ...options.settings },
  };
}

/** Keeps the streams of a session, and closes it when it is idle. */
function watchSession(
  session: Session,
  timeoutMs: number,
  all: Set<http2.ServerHttp2Stream>,
): void {
  let streams = 0;
  // What is still to come of a block of headers keeps a question from being sent and a session from closing: neither is waited for longer.
  let patience: NodeJS.Timeout | undefined;
  session.on("close", () => clearTimeout(patience));
  session.on("stream", (stream) => {
    streams += 1;
    all.add(stream);
    stream.on("close", () => {
      streams -= 1;
      all.delete(stream);
    });
  });
  session.setTimeout(timeoutMs, () => {
    if (session.destroyed || patience !== undefined) return;
    patience = setTimeout(() => session.destroy(), timeoutMs);
    if (streams === 0) session.close();
    else {
      session.ping(() => {
        clearTimeout(patience);
        patience = undefined;
      });
    }
  });
}
