import type http from "node:http";
import type http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Logger, plainLogger } from "../../logger.ts";
import type { DirectHandler } from "../transport/direct-answer.ts";
import { type DirectConnection, serveDirectly } from "./direct-connection.ts";
import { createDirectStreams } from "./direct-stream.ts";
import { type ConnectionLimits, createConnectionCounts } from "./connection-counts.ts";
import { refusePlaintext } from "./plaintext-refusal.ts";
import {
  createHttp1Server,
  createHttp2Server,
  guard,
  IDLE_SESSION_TIMEOUT_MS,
  ignore,
  KEEP_ALIVE_TIMEOUT_MS,
  type RequestHandler,
  type Session,
} from "./port-servers.ts";
import { peekProtocol, type WireProtocol } from "./preface.ts";
import { createStalledReaders, STALLED_READER_TIMEOUT_MS } from "./stalled-readers.ts";
import { createTlsEntrance, type TlsOptions } from "./tls-entrance.ts";
import { createTraffic, type TrafficCounts } from "./traffic.ts";

/** How long a new connection may take to say which protocol it speaks. */
export const FIRST_BYTES_TIMEOUT_MS = 10_000;
/** How long a client may take to close a connection that was ended here. */
export const CLOSING_TIMEOUT_MS = 2_000;
/** Connections that may be open at once; those beyond are closed when they come. */
export const MAX_CONNECTIONS = 20_000;
/** How long `close` waits for open calls. */
export const DRAIN_TIMEOUT_MS = 10_000;

/** Options of {@link createPort}. */
export interface PortOptions {
  /** The address to listen at. Default: all. */
  readonly host?: string;
  /** The port to listen at. 0: any free one. */
  readonly port: number;
  /** Answers every request of either protocol. */
  readonly handler: RequestHandler;
  /** Answers requests in plain form without Node's HTTP servers. Default: none are answered so. */
  readonly direct?: DirectHandler;
  /** TLS at the same port. Default: none, everything is plaintext. */
  readonly tls?: PortTls | undefined;
  /** Further options for HTTP/1.1. */
  readonly http1?: http.ServerOptions;
  /** Further options for HTTP/2. */
  readonly http2?: http2.ServerOptions;
  /** Default: {@link FIRST_BYTES_TIMEOUT_MS}. */
  readonly firstBytesTimeoutMs?: number;
  /** Default: {@link IDLE_SESSION_TIMEOUT_MS}. */
  readonly idleSessionTimeoutMs?: number;
  /** Default: {@link STALLED_READER_TIMEOUT_MS}. */
  readonly stalledReaderTimeoutMs?: number;
  /** Default: {@link MAX_CONNECTIONS}. */
  readonly maxConnections?: number;
  /** Limits the connections of each address. Default: they are not limited. */
  readonly perAddress?: PerAddress;
  readonly logger?: Logger;
}

/** How the connections of one address are limited. */
export interface PerAddress extends ConnectionLimits {
  /** Answers the requests of those beyond the limit, and is to close their connections. */
  readonly refuse: RequestHandler;
}

/** TLS of a port. */
export interface PortTls extends TlsOptions {
  /** Whether connections without TLS are taken too. Otherwise they are told to use TLS, and closed. */
  readonly plaintext: boolean;
}

/** One port for HTTP/1.1 and HTTP/2 at once, with TLS, without, or both. */
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
  /** What went over its connections. */
  readonly traffic: TrafficCounts;
}

/** Makes the port. A connection that breaks, at whatever moment, disturbs no other. */
export function createPort(options: PortOptions): Port {
  const { tls, logger = plainLogger } = options;
  const { firstBytesTimeoutMs = FIRST_BYTES_TIMEOUT_MS } = options;
  const { idleSessionTimeoutMs = IDLE_SESSION_TIMEOUT_MS } = options;
  const sockets = new Set<Socket>();
  /** Those of which the protocol is not known yet. */
  const arriving = new Set<Socket>();
  const sessions = new Set<Session>();
  /** What answers are written to: connections of HTTP/1.1 and streams of HTTP/2. */
  const http1Sockets = new Set<Socket>();
  const streams = new Set<http2.ServerHttp2Stream>();
  /** Those of HTTP/1.1 that Node's server has not been given. */
  const directs = new Map<Socket, DirectConnection>();
  const stalledReaders = createStalledReaders({
    outlets: () => [...http1Sockets, ...streams],
    timeoutMs: options.stalledReaderTimeoutMs ?? STALLED_READER_TIMEOUT_MS,
    onCutOff: () => logger.info({}, "a client that reads nothing was cut off"),
  });
  const traffic = createTraffic();
  let draining = false;

  const http1Options = options.http1 ?? {};
  const common = { http2: options.http2 ?? {}, idleSessionTimeoutMs, sessions, streams };
  const handle = guard(options.handler, logger);
  const http1Server = createHttp1Server(http1Options, handle, () => draining);
  const direct = options.direct && createDirectStreams({ handler: options.direct, logger });
  const welcome = entryOf(http1Server, createHttp2Server({ ...common, handle, direct }));
  const entrance = tls && createTlsEntrance({ ...tls, logger });
  const { perAddress } = options;
  const counts = perAddress && createConnectionCounts(perAddress);
  const refuse = guard(perAddress?.refuse ?? options.handler, logger);
  const surplus = entryOf(
    createHttp1Server(http1Options, refuse, () => true),
    createHttp2Server({ ...common, handle: refuse }),
  );

  // The http server is the one that listens, since it keeps time of its connections only then. It gets a connection after the peek.
  http1Server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  http1Server.on("connection", (socket) => {
    const admission = counts?.admit(socket) ?? "welcome";
    if (admission === "closed") return;
    const entry = admission === "welcome" ? welcome : surplus;
    sockets.add(socket);
    arriving.add(socket);
    traffic.add(socket);
    socket.on("error", ignore);
    socket.on("close", () => {
      sockets.delete(socket);
      arriving.delete(socket);
    });
    peekProtocol(socket, firstBytesTimeoutMs, (protocol) => {
      if (entrance && protocol === "tls") {
        entrance.accept(socket, (secured) => arriveSecured(entry, socket, secured));
        return;
      }
      arriving.delete(socket);
      if (tls?.plaintext === false) refusePlaintext(socket, protocol);
      else serve(entry, socket, protocol);
    });
  });

  http1Server.on("drop", traffic.refuse);

  function arriveSecured(entry: Entry, socket: Socket, secured: TLSSocket): void {
    const begin = (protocol: WireProtocol) => {
      arriving.delete(socket);
      serve(entry, secured, protocol);
    };
    if (secured.alpnProtocol === "h2") begin("http2");
    // It counts as arriving until it has said something, as without TLS.
    else peekProtocol(secured, firstBytesTimeoutMs, () => begin("http1"));
  }

  function serve(entry: Entry, socket: Socket, protocol: WireProtocol): void {
    traffic.serve(socket, protocol);
    // HTTP/1.1 answers a caller that has closed its half; in HTTP/2 such a caller is gone.
    socket.allowHalfOpen = protocol !== "http2";
    // The other half of a connection that was ended here may stay open for as long as its client likes.
    socket.on("finish", () => {
      const timer = setTimeout(() => socket.destroy(), CLOSING_TIMEOUT_MS);
      socket.on("close", () => clearTimeout(timer));
    });
    if (protocol === "http2") {
      entry.http2(socket);
      return;
    }
    http1Sockets.add(socket);
    socket.on("close", () => http1Sockets.delete(socket));
    if (options.direct && entry === welcome) serveDirect(socket, options.direct);
    else giveToNode(entry, socket);
  }

  // TLS where none is spoken comes here too: it is answered as a broken request.
  function giveToNode(entry: Entry, socket: Socket): void {
    entry.http1(socket);
    socket.resume();
  }

  function serveDirect(socket: Socket, handler: DirectHandler): void {
    const keepAliveTimeoutMs = http1Options.keepAliveTimeout ?? KEEP_ALIVE_TIMEOUT_MS;
    const forget = () => void directs.delete(socket);
    const connection = serveDirectly(socket, {
      ...{ handler, keepAliveTimeoutMs, logger },
      isDraining: () => draining,
      handOver() {
        forget();
        socket.off("close", forget);
        giveToNode(welcome, socket);
      },
    });
    directs.set(socket, connection);
    socket.on("close", forget);
  }

  return {
    start() {
      stalledReaders.start();
      return listen(http1Server, options);
    },
    async close({ timeoutMs = DRAIN_TIMEOUT_MS } = {}) {
      draining = true;
      const closed = [
        new Promise<void>((resolve) => http1Server.close(() => resolve())),
        ...[...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
      ];
      for (const socket of arriving) socket.destroy();
      for (const connection of directs.values()) connection.closeIfIdle();
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        logger.warn({ connections: sockets.size }, "connections were cut off");
        for (const socket of sockets) socket.destroy();
      }, timeoutMs);
      await Promise.all(closed);
      clearTimeout(timer);
      stalledReaders.close();
    },
    get connections() {
      return sockets.size;
    },
    get traffic() {
      return traffic.read();
    },
  };
}

/** Where connections are handed over whose protocol is known. */
interface Entry {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/** Takes from the servers what they do with a new connection. */
function entryOf(http1Server: http.Server, http2Server: http2.Http2Server): Entry {
  const accept = http1Server.listeners("connection") as ((socket: Socket) => void)[];
  http1Server.removeAllListeners("connection");
  return {
    http1(socket) {
      for (const listener of accept) listener.call(http1Server, socket);
    },
    http2: (socket) => void http2Server.emit("connection", socket),
  };
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
