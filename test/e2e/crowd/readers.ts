import { connect, type Socket } from "node:net";
import { createHttp1Reader, createPost, createPostHead } from "../../../bench/load/http1.ts";
import {
  createCall,
  createHeaderBlock,
  createHttp2Reader,
  createPreface,
} from "../../../bench/load/http2.ts";
import { addressOf } from "./addresses.ts";

const PATH = "/realmwire.v1.WorldService/Update";
/** An empty request in an envelope. */
const REQUEST = Buffer.alloc(5);
/** Settings that say nothing: each stream has the window of 65,535 bytes that RFC 9113 gives it, and it is never renewed. */
const NARROW_PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** How a reader holds its server up: it does not read its connection, of either protocol, or it reads and opens no window. */
export const STALLS = ["http1", "http2", "window"] as const;
type Stall = (typeof STALLS)[number];

/** A client that has an Update stream open. */
export interface Reader {
  /** Bytes that came. */
  readonly bytes: number;
  readonly isOpen: boolean;
  /** Stops reading, in its own way. */
  stall(): void;
  /** Reads again. */
  resume(): void;
  /** Ends the connection as a program does that ends, or as a machine that lost it. */
  leave(how: "fin" | "rst"): void;
}

/** The pause of somebody whom the server asks to come back, in milliseconds. */
const RETRY_MS = 1_000;
const MAX_TRIES = 100;

interface Request {
  readonly number: number;
  readonly token: string;
  readonly stall: Stall;
}

/** Opens a stream, again when the server is too busy, and resolves when its first message came. */
export async function openReader(port: number, request: Request): Promise<Reader> {
  for (let left = MAX_TRIES; ; left--) {
    try {
      return await openOnce(port, request);
    } catch (error) {
      if (left === 0) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function openOnce(port: number, { number, token, stall }: Request): Promise<Reader> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: addressOf(number) });
  socket.on("error", () => {});
  let bytes = 0;
  const opened = Promise.withResolvers<void>();
  const refuse = () => {
    opened.reject(new Error(`the stream of reader ${number} ended`));
    socket.destroy();
  };
  const read =
    stall === "http1"
      ? readHttp1(opened.resolve, refuse)
      : readHttp2(socket, opened.resolve, refuse);
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    read(chunk);
  });
  socket.on("close", refuse);
  sendRequest(socket, token, stall);
  await opened.promise;
  return {
    get bytes() {
      return bytes;
    },
    get isOpen() {
      return !socket.destroyed;
    },
    stall: () => void (stall !== "window" && socket.pause()),
    resume: () => void socket.resume(),
    leave(how) {
      if (how === "rst") socket.resetAndDestroy();
      else socket.end(() => socket.destroy());
    },
  };
}

/** The flag of an envelope that ends a stream of Connect. */
const END = 2;

function readHttp1(onMessage: () => void, onEnd: () => void): (chunk: Buffer) => void {
  return createHttp1Reader({
    onHead: (status) => void (status !== 200 && onEnd()),
    onBody: (part) => (part[0] === END ? onEnd() : onMessage()),
    onEnd,
  });
}

function readHttp2(
  socket: Socket,
  onMessage: () => void,
  onEnd: () => void,
): (chunk: Buffer) => void {
  const events = {
    onHead: (_: number, isOk: boolean) => void (!isOk && onEnd()),
    onBody: onMessage,
    onEnd,
    onFailure: onEnd,
  };
  return createHttp2Reader(events, (bytes) => void socket.write(bytes));
}

function sendRequest(socket: Socket, token: string, stall: Stall): void {
  const authorization = `Bearer ${token}`;
  if (stall === "http1") {
    const headers = { "content-type": "application/connect+proto", authorization };
    socket.write(createPost(createPostHead(PATH, headers), REQUEST));
    return;
  }
  const headers = { "content-type": "application/grpc+proto", te: "trailers", authorization };
  const preface = stall === "window" ? NARROW_PREFACE : createPreface();
  socket.write(Buffer.concat([preface, createCall(1, createHeaderBlock(PATH, headers), REQUEST)]));
}
