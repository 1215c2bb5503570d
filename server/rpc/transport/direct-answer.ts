import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
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
 * Says how requests with a head are answered without Node's HTTP servers; undefined: they are not. What comes back serves all requests of one
 * connection whose heads are the same.
 */
export type DirectHandler = (head: RequestHead) => DirectCall | undefined;

/** Reads the whole body of a request. What comes back makes the call, and answers it sometime; undefined: it is to be answered by Node's HTTP server after all. */
export type DirectCall = (body: Uint8Array) => ((answer: DirectAnswer) => void) | undefined;

/** The answer to one request, written as a whole, without the response of Node's HTTP servers. */
// A class, since every Move has one.
export abstract class DirectAnswer {
  /** Headers besides those of the answer itself, which come first but count less. */
  headers: Readonly<Record<string, string>> | undefined;
  headersSent = false;
  /** What closes when the caller goes away. */
  abstract readonly outlet: Duplex;

  /** Whether nothing can be written any more. */
  get destroyed(): boolean {
    return this.outlet.destroyed;
  }

  /** Writes the answer, once. Trailers are for HTTP/2 only. Throws when a header cannot be written. */
  abstract send(
    status: number,
    headers: OutgoingHttpHeaders,
    body: Uint8Array,
    trailers: OutgoingHttpHeaders | undefined,
  ): void;

  /** Gives the caller up. */
  destroy(): void {
    this.outlet.destroy();
  }
}

/** What a whole answer can be sent by. */
export type WholeResponse = PortResponse | DirectAnswer;
