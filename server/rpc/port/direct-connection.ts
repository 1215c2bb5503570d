import type { Socket } from "node:net";
import type { Logger } from "../../logger.ts";
import type { DirectCall, DirectHandler } from "../transport/direct-answer.ts";
import { type DirectOutlet, Http1Answer } from "../transport/direct-http1-answer.ts";
import { flushOutbox } from "../transport/outbox.ts";
import { readDirectHead } from "./direct-head.ts";
import { KEEP_ALIVE_BUFFER_MS } from "./port-servers.ts";

/** What is kept of requests that came too early, in bytes; once it is more, no more is read. Until then it is, so that a client that goes away is noticed. */
export const MAX_EARLY_BYTES = 65_536;

/** What a connection needs that is answered directly. */
export interface DirectOptions {
  readonly handler: DirectHandler;
  /** Gives a connection to Node's HTTP server. It is paused, and what it said last was put back. */
  readonly handOver: (socket: Socket) => void;
  /** Whether connections are closed behind their answers. */
  readonly isDraining: () => boolean;
  /** How long a connection may be idle between requests, as its client is told, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  readonly logger: Logger;
}

/** A connection that is answered directly as long as its requests allow it. */
export interface DirectConnection {
  /** Closes it if it waits for a request, or can be answered no more. */
  closeIfIdle(): void;
}

/**
 * Reads requests of HTTP/1.1 that come whole and in plain form, and answers them without Node's HTTP server, which costs more than
 * such a call itself. With the first request that is anything else, the connection is handed over with all that was not read yet, for good:
 * slow, broken and unusual requests, and streams, are Node's alone. The socket is paused and has its first bytes before it.
 */
export function serveDirectly(socket: Socket, options: DirectOptions): DirectConnection {
  const connection = new Connection(socket, options);
  connection.begin();
  return connection;
}

/** How requests with a head are answered. */
interface Route {
  /** The bytes of the head. */
  readonly head: Buffer;
  readonly bodyBytes: number;
  readonly call: DirectCall;
}

// A class, since every player has one.
class Connection implements DirectConnection, DirectOutlet {
  readonly socket: Socket;
  readonly keepAliveS: number;
  private readonly options: DirectOptions;
  /** That of the last request: of nearly all requests of a connection the head is the same. */
  private route: Route | undefined;
  private isBusy = false;
  /** What came behind the request that is being answered. */
  private rest: Buffer | undefined;

  constructor(socket: Socket, options: DirectOptions) {
    this.socket = socket;
    this.options = options;
    this.keepAliveS = Math.floor(options.keepAliveTimeoutMs / 1000);
  }

  get isLast(): boolean {
    return this.options.isDraining();
  }

  begin(): void {
    const { socket } = this;
    socket.setTimeout(this.options.keepAliveTimeoutMs + KEEP_ALIVE_BUFFER_MS);
    socket.on("timeout", this.closeIfIdle);
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.resume();
  }

  readonly closeIfIdle = (): void => {
    if (!this.isBusy || !this.socket.writable) this.socket.destroy();
  };

  onWritten(): void {
    const { socket } = this;
    // Who does not take what was answered is not answered more, as by Node's server.
    if (socket.writableNeedDrain) socket.once("drain", this.goOn);
    else this.goOn();
  }

  private readonly goOn = (): void => {
    const { socket, rest } = this;
    this.isBusy = false;
    if (!socket.writable) return;
    if (this.isLast) {
      // What else comes is passed over.
      socket.off("data", this.onData);
      socket.resume();
      socket.end();
      return;
    }
    if (rest === undefined) return;
    this.rest = undefined;
    // It may be handed over, and then its new owner lets it go on.
    if (this.read(rest) && this.earlyBytes < MAX_EARLY_BYTES) socket.resume();
  };

  private get earlyBytes(): number {
    return this.rest?.length ?? 0;
  }

  private readonly onData = (piece: Buffer): void => {
    if (this.isBusy) this.keep(piece);
    else this.read(piece);
  };

  // Who closes its half gets what was answered already, as from Node's server.
  private readonly onEnd = (): void => {
    flushOutbox();
    this.socket.end();
  };

  /** Keeps what came too early until its turn has come. */
  private keep(piece: Buffer): void {
    this.rest = this.rest === undefined ? piece : Buffer.concat([this.rest, piece]);
    if (this.earlyBytes >= MAX_EARLY_BYTES) this.socket.pause();
  }

  /** Reads a request; false: the connection was handed over. */
  private read(piece: Buffer): boolean {
    const route = this.isLast ? undefined : this.routeOf(piece);
    if (route === undefined) return this.handOver(piece);
    const { head, bodyBytes, call } = route;
    const end = head.length + bodyBytes;
    if (piece.length < end) return this.handOver(piece);
    try {
      const run = call(piece.subarray(head.length, end));
      if (run === undefined) return this.handOver(piece);
      this.isBusy = true;
      if (piece.length > end) this.keep(piece.subarray(end));
      run(new Http1Answer(this));
    } catch (error) {
      this.options.logger.error({ err: error }, "a request failed");
      this.socket.destroy();
    }
    return true;
  }

  private routeOf(piece: Buffer): Route | undefined {
    const { route } = this;
    if (route !== undefined) {
      const { length } = route.head;
      if (piece.length >= length && piece.compare(route.head, 0, length, 0, length) === 0) {
        return route;
      }
    }
    const read = readDirectHead(piece);
    if (read === undefined) return undefined;
    const { headBytes, bodyBytes, ...request } = read;
    const { socket } = this;
    const call = this.options.handler({
      ...request,
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      socket,
    });
    if (call === undefined) return undefined;
    // A copy of its own, so that it holds neither the rest of the piece nor the 64 KiB that Node gives small buffers together.
    const head = Buffer.allocUnsafeSlow(headBytes);
    piece.copy(head, 0, 0, headBytes);
    this.route = { head, bodyBytes, call };
    return this.route;
  }

  private handOver(piece: Buffer): false {
    const { socket } = this;
    socket.setTimeout(0);
    socket.off("timeout", this.closeIfIdle);
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.pause();
    socket.unshift(piece);
    this.options.handOver(socket);
    return false;
  }
}
