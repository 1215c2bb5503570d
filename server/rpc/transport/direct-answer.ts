import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { type Sender, writeSoon } from "./outbox.ts";
import type { PortResponse } from "./plain-answer.ts";

/** What is known of a request before its body. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
}

/**
 * Says how requests with a head are answered without Node's HTTP server; undefined: they are not. What comes back serves all requests of one
 * connection whose heads are the same, byte by byte.
 */
export type DirectHandler = (head: RequestHead) => DirectCall | undefined;

/** Takes the whole body of a request, and answers it sometime. False: it is to be answered by Node's HTTP server after all, and nothing was done. */
export type DirectCall = (body: Uint8Array, answer: DirectAnswer) => boolean;

/** What a direct answer is written to. */
export interface DirectOutlet extends Sender {
  readonly socket: Socket;
  /** Whether the connection is to be closed behind the answer. */
  readonly isLast: boolean;
  /** How long the connection may be idle, in seconds, as its client is told. */
  readonly keepAliveS: number;
}

/** The answer to one request of HTTP/1.1, written as a whole. */
// A class, since every Move has one.
export class DirectAnswer {
  /** Headers besides those of the answer itself, which come first but count less. */
  headers: Readonly<Record<string, string>> | undefined;
  headersSent = false;
  private readonly outlet: DirectOutlet;

  constructor(outlet: DirectOutlet) {
    this.outlet = outlet;
  }

  /** Whether nothing can be written any more because the connection is closed. */
  get destroyed(): boolean {
    return this.outlet.socket.destroyed;
  }

  /** Writes the answer, once. Throws when a header cannot be written. */
  send(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    if (this.headersSent) return;
    const { socket, isLast, keepAliveS } = this.outlet;
    const head =
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n` +
      linesOf(this.headers ? { ...this.headers, ...headers } : headers) +
      `content-length: ${body.length}\r\nDate: ${httpDate()}\r\n` +
      (isLast
        ? "Connection: close\r\n\r\n"
        : `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveS}\r\n\r\n`);
    this.headersSent = true;
    // One piece costs less than two, and the copy of what is short next to nothing.
    if (body.length <= MAX_TEXT_BYTES) {
      writeSoon(socket, head + latin1Of(body), this.outlet);
      return;
    }
    if (socket.writable) {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
    this.outlet.onWritten();
  }

  /** Gives the connection up. */
  destroy(): void {
    this.outlet.socket.destroy();
  }
}

/** What a whole answer can be sent by. */
export type WholeResponse = PortResponse | DirectAnswer;

/** Bodies up to this size go out in one piece with their head. */
export const MAX_TEXT_BYTES = 1_024;

/** Bytes as a text with a letter for each, as it is written in `latin1`. */
export function latin1Of({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

/** What says how long the answer is and what becomes of the connection is not for those to say who answer a call. */
const OWN = new Set([
  ...["content-length", "transfer-encoding", "trailer", "date", "connection", "keep-alive"],
]);

function linesOf(headers: OutgoingHttpHeaders): string {
  let lines = "";
  for (const name in headers) {
    if (OWN.has(name.toLowerCase())) continue;
    const values = headers[name];
    for (const value of Array.isArray(values) ? values : [String(values)]) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      lines += `${name}: ${value}\r\n`;
    }
  }
  return lines;
}

let date = { second: -1, text: "" };

/** The time as HTTP writes it (RFC 9110, 5.6.7). */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== date.second) date = { second, text: new Date(second * 1000).toUTCString() };
  return date.text;
}
