import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UpgradeRequestSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type RpcServer, startRpcServer, worldWith } from "../../../test/support/rpc-server.ts";

const MESSAGE_BYTES = 32 * 1024;
/** More than the buffers of a socket pair ever hold: where nothing holds the handler back, it yields them all. */
const MANY = 16_384;
/** What may lie in the buffers of the two sockets and of the server, generously: 16 MiB. On Linux they take 4 MiB, and HTTP/2 with its usual window 64 KiB. */
const MOST = 512;

let server: RpcServer;
let yielded = 0;
let ended = 0;

beforeEach(async () => {
  yielded = 0;
  ended = 0;
  const data = new Uint8Array(MESSAGE_BYTES);
  server = await startRpcServer({
    services: [
      worldWith({
        async *upgrade() {
          try {
            while (yielded < MANY) {
              yielded += 1;
              yield { part: { case: "chunk", value: { data } } };
            }
          } finally {
            ended += 1;
          }
        },
      }),
    ],
  });
});

afterEach(async () => {
  await server.close();
});

const PATH = "/realmwire.v1.WorldService/Upgrade";

function envelope(): Buffer {
  const message = toBinary(UpgradeRequestSchema, create(UpgradeRequestSchema));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Waits until the handler has stood still for a while. */
async function standstill(): Promise<number> {
  for (let before = -1; before !== yielded || yielded === 0;) {
    before = yielded;
    await sleep(150);
  }
  return yielded;
}

test("a caller over HTTP/1.1 that does not read holds the handler back, and its leaving ends it", async () => {
  const socket = net.connect(server.portNumber, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  const body = envelope();
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/connect+proto\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
  const held = await standstill();
  expect(held).toBeLessThan(MOST);
  expect(ended).toBe(0);

  // It goes on as soon as the caller reads on.
  socket.resume();
  await expect.poll(() => yielded).toBeGreaterThan(held + 50);
  socket.pause();
  await standstill();
  expect(yielded).toBeLessThan(MANY);
  socket.destroy();
  await expect.poll(() => ended).toBe(1);
});

test("a caller over HTTP/2 that does not read holds the handler back, and its leaving ends it", async () => {
  const session = http2.connect(server.url);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  stream.on("error", () => {});
  stream.end(envelope());
  await once(stream, "response");
  const held = await standstill();
  expect(held).toBeLessThan(MOST);
  expect(ended).toBe(0);

  stream.resume();
  await expect.poll(() => yielded).toBeGreaterThan(held + 50);
  stream.pause();
  await standstill();
  expect(yielded).toBeLessThan(MANY);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await expect.poll(() => ended).toBe(1);
  session.destroy();
});

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A gRPC request in HTTP/2 by hand, from a caller that grants the server all the flow-control window there is. */
function openedWide(): Buffer {
  const most = 2 ** 31 - 1;
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const header = (name: string, value: string) =>
    Buffer.concat([Buffer.from([0]), literal(name), literal(value)]);
  const headers = Buffer.concat([
    header(":method", "POST"),
    header(":scheme", "http"),
    header(":path", PATH),
    header(":authority", "x"),
    header("content-type", "application/grpc+proto"),
    header("te", "trailers"),
  ]);
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    // SETTINGS_INITIAL_WINDOW_SIZE, for streams, and WINDOW_UPDATE, for the connection.
    frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(most)])),
    frame(8, 0, 0, uint32(most - 65_535)),
    frame(1, 4, 1, headers),
    frame(0, 1, 1, envelope()),
  ]);
}

test("a caller over HTTP/2 with all the window there is, whose socket is not read, holds the handler back", async () => {
  const socket = net.connect(server.portNumber, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  socket.write(openedWide());
  const held = await standstill();
  expect(held).toBeGreaterThan(2);
  expect(held).toBeLessThan(MOST);
  socket.destroy();
  await expect.poll(() => ended).toBe(1);
});
