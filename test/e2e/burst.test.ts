import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPost, createPostHead } from "../../bench/load/http1.ts";
import { writeMove } from "../../bench/wire/move-bytes.ts";
import { ChatService } from "../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { clientFor, startTestServer, type TestServer } from "../support/server.ts";
import { CROWD_GAME, enrollCrowd } from "./crowd/crowd-server.ts";

/** Those who hear a shout, all with the same tick. */
const CROWD = 300;
const SHOUTS = 5;
/** An empty request in its envelope. */
const REQUEST = Buffer.alloc(5);

let dataDir: string;
let server: TestServer;
let tokens: string[];
const sockets: Socket[] = [];
/** Emits `chunk` when something came on somebody's stream. */
const streams = new EventEmitter();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "realmwire-burst-"));
  tokens = await enrollCrowd(dataDir, CROWD);
  server = await startTestServer({ dataDir, args: { game: CROWD_GAME } });
  await Promise.all(tokens.map(listen));
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.dispose();
  await rm(dataDir, { recursive: true, force: true });
});

/** Opens a stream, and resolves when something came on it. */
async function listen(token: string): Promise<void> {
  const socket = open();
  socket.on("data", (chunk: Buffer) => streams.emit("chunk", chunk));
  socket.write(createPost(headOf("Update", token, "application/connect+proto"), REQUEST));
  await once(socket, "data");
}

function open(): Socket {
  const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
  sockets.push(socket);
  return socket;
}

function headOf(call: string, token: string, type: string): string {
  const headers = { "content-type": type, authorization: `Bearer ${token}` };
  return createPostHead(`/realmwire.v1.WorldService/${call}`, headers);
}

// The server is in this process and has one thread: what comes in some order here was done in that order there, however busy the machine is.
test("whoever hears a shout first and moves is answered before the last of a crowd hears it", async () => {
  const [token = ""] = tokens;
  const caller = open();
  const move = createPost(headOf("Move", token, "application/proto"), writeMove({ x: 0, y: 0 }, 0));
  const makeMove = async () => {
    caller.write(move);
    await once(caller, "data");
  };
  await makeMove();

  const heardWhenAnswered: number[] = [];
  for (let shout = 1; shout <= SHOUTS; shout++) {
    const text = `shout number ${shout}`;
    let heard = 0;
    const onChunk = (chunk: Buffer) => {
      if (!chunk.includes(text) || ++heard > 1) return;
      void makeMove().then(() => heardWhenAnswered.push(heard));
    };
    streams.on("chunk", onChunk);
    await clientFor(ChatService, server.baseUrl, token).shout({ text });
    await expect.poll(() => heard).toBe(CROWD);
    await expect.poll(() => heardWhenAnswered).toHaveLength(shout);
    streams.off("chunk", onChunk);
  }
  // The system may bring one call or another later than it was sent.
  const early = heardWhenAnswered.filter((heard) => heard < CROWD);
  expect(early.length, heardWhenAnswered.join(" ")).toBeGreaterThan(SHOUTS / 2);
});
