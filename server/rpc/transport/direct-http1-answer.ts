import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { DirectAnswer } from "./direct-answer.ts";
import { type Sender, writeSoon } from "./outbox.ts";

/** What a direct answer is written to. */
export interface DirectOutlet extends Sender {
  readonly socket: Socket;
  /** Whether the connection is to be closed behind the answer. */
  readonly isLast: boolean;
  /** How long the connection may be idle, in seconds, as its client is told. */
  readonly keepAliveS: number;
}

/** The answer to one request of HTTP/1.1. */
export class Http1Answer extends DirectAnswer {
  readonly outlet: Socket;
  private readonly connection: DirectOutlet;

  constructor(connection: DirectOutlet) {
    super();
    this.outlet = connection.socket;
    this.connection = connection;
  }

  override send(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    if (this.headersSent) return;
    const { socket, isLast, keepAliveS } = this.connection;
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
      writeSoon(socket, head + latin1Of(body), this.connection);
      return;
    }
    if (socket.writable) {
      socket.cork();
      socket.write(head, "latin1");
      socket.write(body);
      socket.uncork();
    }
    this.connection.onWritten();
  }
}

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
