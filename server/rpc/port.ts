import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { type Logger, plainLogger } from "../logger.ts";
import { type PortRequest, type PortResponse, sendPlain } from "./plain-answer.ts";
import { peekProtocol } from "./preface.ts";

/** How long a new connection may take to say which protocol it speaks. */
export const FIRST_BYTES_TIMEOUT_MS = 10_000;
/** How long the headers of an HTTP/1.1 request may take. */
export const HEADERS_TIMEOUT_MS = 15_000;
/** How long a whole HTTP/1.1 request may take to arrive. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How long an HTTP/1.1 connection may stay open between requests: longer than the minute after which proxies close theirs, so that they never use one that is just being closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** After so long without a word, an HTTP/2 connection is closed if no call is open on it, and asked whether it still lives if one is. */
export const IDLE_SESSION_TIMEOUT_MS = 120_000;
/** Calls that may be open at once on one HTTP/2 connection; clients wait with those beyond. */
export const MAX_CONCURRENT_STREAMS = 1_000;
/** Connections that may be open at once; those beyond are closed when they come. */
export const MAX_CONNECTIONS = 20_000;
/** After so long without a word, the system asks a connection's other end whether it still lives. */
export const TCP_KEEP_ALIVE_DELAY_MS = 30_000;
/** How long `close` waits for open calls. */
export const DRAIN_TIMEOUT_MS = 10_000;

/** Options of {@link createPort}. */
export interface PortOptions {
  /** The address to listen at. Default: all. */
  readonly host?: string;
  /** The port to listen at. 0: any free one. */
  readonly port: number;
  /** Answers every request of either protocol. */
  readonly handler: (request: PortRequest, response: PortResponse) => void;
  /** Further options for HTTP/1.1. */
  readonly http1?: http.ServerOptions;
  /** Further options for HTTP/2. */
  readonly http2?: http2.ServerOptions;
  /** Default: {@link FIRST_BYTES_TIMEOUT_MS}. */
  readonly firstBytesTimeoutMs?: number;
  /** Default: {@link IDLE_SESSION_TIMEOUT_MS}. */
  readonly idleSessionTimeoutMs?: number;
  /** Default: {@link MAX_CONNECTIONS}. */
  readonly maxConnections?: number;
  readonly logger?: Logger;
}

/** One cleartext port for HTTP/1.1 and HTTP/2 without TLS at once. */
export interface Port {
  /** Listens. Rejects when the port is taken. */
  start(): Promise<{ readonly port: number }>;
  /**
   * Stops listening, tells connections to finish, and resolves when the last one is closed. After `timeoutMs`
   * (default {@link DRAIN_TIMEOUT_MS}) those that remain are cut off.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** How many connections are open. */
  readonly connections: number;
}

type Session = http2.ServerHttp2Session;

/** Makes the port. A connection that breaks, at whatever moment, disturbs no other. */
export function createPort(options: PortOptions): Port {
  const logger = options.logger ?? plainLogger;
  const sockets = new Set<Socket>();
  const peeking = new Set<Socket>();
  const sessions = new Set<Session>();
  let draining = false;

  const handle = guard(options.handler, logger);
  const http1Server = createHttp1Server(options, handle, () => draining);
  const http2Server = createHttp2Server(options, handle, sessions);

  // The http server is the one that listens, since it keeps time of its connections only then. It gets a connection after the peek.
  const acceptHttp1 = http1Server.listeners("connection") as ((socket: Socket) => void)[];
  http1Server.removeAllListeners("connection");
  http1Server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  http1Server.on("connection", (socket) => {
    sockets.add(socket);
    peeking.add(socket);
    socket.on("error", ignore);
    socket.on("close", () => {
      sockets.delete(socket);
      peeking.delete(socket);
    });
    peekProtocol(socket, options.firstBytesTimeoutMs ?? FIRST_BYTES_TIMEOUT_MS, (protocol) => {
      peeking.delete(socket);
      if (protocol === "http2") {
        // HTTP/1.1 answers a caller that has closed its half; in HTTP/2 such a caller is gone.
        socket.allowHalfOpen = false;
        http2Server.emit("connection", socket);
        return;
      }
      for (const accept of acceptHttp1) accept.call(http1Server, socket);
      socket.resume();
    });
  });

  return {
    start: () => listen(http1Server, options),
    async close({ timeoutMs = DRAIN_TIMEOUT_MS } = {}) {
      draining = true;
      const closed = [
        new Promise<void>((resolve) => http1Server.close(() => resolve())),
        ...[...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
      ];
      for (const socket of peeking) socket.destroy();
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        logger.warn({ connections: sockets.size }, "connections were cut off");
        for (const socket of sockets) socket.destroy();
      }, timeoutMs);
      await Promise.all(closed);
      clearTimeout(timer);
    },
    get connections() {
      return sockets.size;
    },
  };
}

// An error of a connection also closes it, and whoever uses it is told by that. Without a listener it would end the process.
function ignore(): void {}

function createHttp1Server(
  options: PortOptions,
  handle: PortOptions["handler"],
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

// It never listens, but is handed its connections, and so cannot tell which are open: `sessions` does.
function createHttp2Server(
  options: PortOptions,
  handle: PortOptions["handler"],
  sessions: Set<Session>,
): http2.Http2Server {
  const server = http2.createServer(http2Options(options), handle);
  server.on("stream", (stream) => stream.on("error", ignore));
  server.on("sessionError", ignore);
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", ignore);
    session.on("close", () => sessions.delete(session));
    watchIdleSession(session, options.idleSessionTimeoutMs ?? IDLE_SESSION_TIMEOUT_MS);
  });
  return server;
}

function http1Options(options: PortOptions): http.ServerOptions {
  return {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_DELAY_MS,
    noDelay: true,
    ...options.http1,
  };
}

function http2Options(options: PortOptions): http2.ServerOptions {
  return {
    ...options.http2,
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, ...options.http2?.settings },
  };
}

function guard(handler: PortOptions["handler"], logger: Logger): PortOptions["handler"] {
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

function watchIdleSession(session: Session, timeoutMs: number): void {
  let streams = 0;
  let asked = false;
  session.on("stream", (stream) => {
    streams += 1;
    stream.on("close", () => (streams -= 1));
  });
  session.setTimeout(timeoutMs, () => {
    if (session.destroyed) return;
    if (asked) return session.destroy();
    if (streams === 0) return session.close();
    asked = true;
    session.ping(() => (asked = false));
  });
}

function listen(server: http.Server, { host, port }: PortOptions): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off("error", reject);
      // What can still go wrong is accepting one connection, for want of file descriptors: the next may do better.
      server.on("error", ignore);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}
