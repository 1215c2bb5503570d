import http2 from "node:http2";
import { expect } from "vitest";
import { TOKENS } from "./rpc-server.ts";
import {
  type BothEntrances,
  CALL_ID,
  readParts,
  requestHttp1,
  urlFor,
  type Wire,
  type WirePart,
} from "./wire.ts";

/** The headers of a player's call. */
export function playerHeaders(wire: Wire): Record<string, string> {
  return { "content-type": wire.contentType, authorization: `Bearer ${TOKENS.player}`, ...CALL_ID };
}

/** A call whose answer is read as it comes. */
export interface OpenCall {
  /** Waits until so many parts have come, or the end. */
  parts(count: number): Promise<WirePart[]>;
  pause(): void;
  resume(): void;
  /** Gives the call up; a connection that other calls could share stays open. */
  leave(): void;
  /** Closes the connection. */
  close(): void;
  readonly trailers: Record<string, unknown>;
}

/** Opens a call and reads what comes. */
export function openCall(
  server: BothEntrances,
  wire: Wire,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): OpenCall {
  const all = { ...playerHeaders(wire), ...headers };
  let chunks: Buffer[] = [];
  let ended = false;
  const trailers: Record<string, unknown> = {};
  function listen(answer: NodeJS.ReadableStream): void {
    answer.on("data", (chunk: Buffer) => void chunks.push(chunk));
    answer.on("end", () => (ended = true));
    answer.on("error", () => (ended = true));
  }
  // Put together only when they are looked at: a flood comes in very many.
  function bytes(): Buffer {
    const whole = Buffer.concat(chunks);
    chunks = [whole];
    return whole;
  }
  let readable: NodeJS.ReadableStream | undefined;
  let leave: () => void;
  let close: () => void;
  if (wire.http === 1) {
    const request = requestHttp1(`${urlFor(server, wire)}${path}`, {
      method: "POST",
      headers: all,
      agent: false,
    });
    request.on("error", () => {});
    request.on("response", (answer) => listen((readable = answer)));
    request.end(body);
    leave = close = () => void request.destroy();
  } else {
    const session = http2.connect(urlFor(server, wire));
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": path, ...all });
    stream.on("error", () => {});
    stream.on("trailers", (received) => Object.assign(trailers, received));
    listen((readable = stream));
    stream.end(body);
    leave = () => stream.close(http2.constants.NGHTTP2_CANCEL);
    close = () => session.destroy();
  }
  return {
    trailers,
    leave,
    close,
    pause: () => void readable?.pause(),
    resume: () => void readable?.resume(),
    async parts(count) {
      await expect.poll(() => ended || countParts(bytes()) >= count, { timeout: 5_000 }).toBe(true);
      return readParts(bytes().subarray(0, wholeParts(bytes())));
    },
  };
}

function wholeParts(bytes: Buffer): number {
  let at = 0;
  while (at + 5 <= bytes.length) {
    const next = at + 5 + bytes.readUInt32BE(at + 1);
    if (next > bytes.length) break;
    at = next;
  }
  return at;
}

function countParts(bytes: Buffer): number {
  return readParts(bytes.subarray(0, wholeParts(bytes))).length;
}
