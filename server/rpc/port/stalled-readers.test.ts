import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import type { Readable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { createCall, createHeaderBlock, createPreface } from "../../../bench/load/http2.ts";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import type { PortResponse } from "../transport/plain-answer.ts";
import { createPort } from "./port.ts";

const TIMEOUT_MS = 800;
const SIP_BYTES = 1024 * 1024;
const CHUNK = Buffer.alloc(256 * 1024);

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A port of which each answer has no end, as long as its client takes it; `/quiet` says one thing and then nothing. */
async function startEndless() {
  const closed: string[] = [];
  const { logger } = createMemoryLog();
  const port = createPort({
    host: "127.0.0.1",
    port: 0,
    logger,
    stalledReaderTimeoutMs: TIMEOUT_MS,
    handler(request, response) {
      response.on("close", () => closed.push(request.url ?? ""));
      response.statusCode = 200;
      if (request.url === "/quiet") write(response, Buffer.from("a word"));
      else pour(response);
    },
  });
  const { port: number } = await port.start();
  closers.push(() => port.close({ timeoutMs: 0 }));
  return { closed, baseUrl: `http://127.0.0.1:${number}` };
}

function write(response: PortResponse, chunk: Buffer): boolean {
  return "stream" in response ? response.stream.write(chunk) : response.write(chunk);
}

function pour(response: PortResponse): void {
  if (response.destroyed) return;
  if (write(response, CHUNK)) setImmediate(pour, response);
  else response.once("drain", () => pour(response));
}

async function get(baseUrl: string, path: string): Promise<Readable> {
  const request = http.get(`${baseUrl}${path}`, { agent: false });
  closers.push(() => request.destroy());
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => {});
  return response;
}

async function get2(session: http2.ClientHttp2Session, path: string): Promise<Readable> {
  const stream = session.request({ ":path": path });
  stream.on("error", () => {});
  await once(stream, "response");
  return stream;
}

function connect2(baseUrl: string): http2.ClientHttp2Session {
  const session = http2.connect(baseUrl);
  session.on("error", () => {});
  closers.push(() => session.destroy());
  return session;
}

/** Takes a megabyte now and then: less than comes, but something within the time, however much the system keeps on its way. */
function sip(stream: Readable): void {
  let taken = 0;
  stream.on("data", (chunk: Buffer) => {
    taken += chunk.length;
    if (taken >= SIP_BYTES) stream.pause();
  });
  const timer = setInterval(() => {
    taken = 0;
    stream.resume();
  }, TIMEOUT_MS / 20);
  closers.push(() => clearInterval(timer));
}

test("who takes nothing for too long is cut off; who takes little, and who has nothing to take, is not", async () => {
  const { closed, baseUrl } = await startEndless();
  const stalled = await get(baseUrl, "/stalled");
  stalled.pause();
  sip(await get(baseUrl, "/sips"));
  await get(baseUrl, "/quiet");
  // One connection, so that a stream that is not read does not hold up the others.
  const session = connect2(baseUrl);
  (await get2(session, "/stalled2")).pause();
  sip(await get2(session, "/sips2"));
  await get2(session, "/quiet");
  await expect
    .poll(() => closed.toSorted(), { timeout: 20_000 })
    .toEqual(["/stalled", "/stalled2"]);
  await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS));
  expect(closed.toSorted()).toEqual(["/stalled", "/stalled2"]);
});

test("so is a connection of HTTP/2 that reads nothing at all", async () => {
  const { closed, baseUrl } = await startEndless();
  const socket = net.connect(Number(new URL(baseUrl).port), "127.0.0.1");
  socket.on("error", () => {});
  closers.push(() => socket.destroy());
  const block = createHeaderBlock("/stalled", {});
  socket.write(Buffer.concat([createPreface(), createCall(1, block, Buffer.alloc(0))]));
  await once(socket, "data");
  socket.pause();
  await expect.poll(() => closed, { timeout: 20_000 }).toEqual(["/stalled"]);
});
