import diagnostics from "node:diagnostics_channel";
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorldView } from "../../clients/ts/index.ts";
import type { WorldView } from "../../clients/ts/index.ts";
import { CreatureSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import {
  UpdateRequestSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { COMPONENTS, eventually, registerPlayer } from "../support/player.ts";
import type { TestPlayer } from "../support/player.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { compareWithOnce } from "../support/snapshot.ts";
import { valueOf } from "../support/values.ts";

const PATH = "/realmwire.v1.WorldService/Update";
/** Characters of the moods that change in every tick: eight of them make half a megabyte a tick and reader. */
const MOOD_LENGTH = 60_000;
const MOODY = 8;
/** How long the slow ones do not read, in ticks. */
const STUCK_TICKS = 50;
/** Things said meanwhile: more than are kept for a reader who does not read. */
const SAID = 900;
/** What the server may hold for them more than before, in bytes. What it made for each of them is more than 20 MB. */
const MOST_BYTES = 12 * 1024 * 1024;

let server: TestServer;
let moody: TestPlayer[];
const serverSockets = new Map<number, Socket>();

function onSocket(message: unknown): void {
  const { socket } = message as { socket: Socket };
  if (socket.remotePort !== undefined) serverSockets.set(socket.remotePort, socket);
}

beforeAll(async () => {
  diagnostics.subscribe("net.server.socket", onSocket);
  server = await startTestServer();
  moody = [];
  for (let i = 0; i < MOODY; i++) moody.push(await registerPlayer(server.baseUrl, "Moo"));
  for (const player of moody) await player.position();
});

afterAll(async () => {
  diagnostics.unsubscribe("net.server.socket", onSocket);
  await server?.dispose();
});

/** A client by hand, which reads its stream only when it is told to. */
interface SlowReader {
  readonly view: WorldView;
  /** Scenes that came. */
  readonly scenes: number;
  /** What the stream ended with; empty while it runs. */
  readonly ended: string;
  /** Bytes that came. */
  readonly bytes: number;
  /** The client's port. */
  readonly port: number;
  read(): void;
  stop(): void;
  close(): void;
}

function createSlowReader(port: number, stream: Readable, close: () => void): SlowReader {
  const view = createWorldView({ components: COMPONENTS });
  let rest = Buffer.alloc(0);
  let bytes = 0;
  let scenes = 0;
  let ended = "";
  view.onScene(() => scenes++);
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      if (rest[0] === 0) view.apply(fromBinary(UpdateResponseSchema, rest.subarray(5, end)));
      else ended = rest.subarray(5, end).toString();
      rest = rest.subarray(end);
    }
  });
  return {
    view,
    get scenes() {
      return scenes;
    },
    get ended() {
      return ended;
    },
    get bytes() {
      return bytes;
    },
    port,
    read: () => void stream.resume(),
    stop: () => void stream.pause(),
    close,
  };
}

/** A request in an envelope. */
function envelope(): Buffer {
  const message = toBinary(UpdateRequestSchema, create(UpdateRequestSchema));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function openOverHttp1({ token }: TestPlayer): Promise<SlowReader> {
  const headers = {
    "content-type": "application/connect+proto",
    authorization: `Bearer ${token}`,
  };
  const request = http.request(`${server.baseUrl}${PATH}`, {
    method: "POST",
    headers,
    agent: false,
  });
  request.on("error", () => {});
  request.end(envelope());
  const answer = await new Promise<http.IncomingMessage>((resolve) => {
    request.on("response", resolve);
  });
  return createSlowReader(answer.socket.localPort ?? 0, answer, () => request.destroy());
}

async function openOverHttp2({ token }: TestPlayer): Promise<SlowReader> {
  const session = http2.connect(server.baseUrl);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc+proto",
    authorization: `Bearer ${token}`,
    te: "trailers",
  });
  stream.end(envelope());
  await new Promise((resolve) => {
    stream.once("response", resolve);
  });
  return createSlowReader(session.socket.localPort ?? 0, stream, () => session.destroy());
}

/** Lets the world change in every tick from inside, so that the test measures the streams and not the calls. */
async function stir(ticks: number, lookOn: () => void): Promise<void> {
  const zone = await server.server.zones.get("town");
  const apply = (kind: MessageInitShape<typeof InputSchema>["kind"]) =>
    zone.apply(create(InputSchema, { kind } as MessageInitShape<typeof InputSchema>));
  const mood = CreatureSchema.field.mood.number;
  let said = 0;
  let done = () => {};
  const over = new Promise<void>((resolve) => {
    done = resolve;
  });
  let tick = 0;
  const unlisten = zone.listen({
    onTick() {
      lookOn();
      if (++tick > ticks) return done();
      for (const [i, { name }] of moody.entries()) {
        const value = valueOf(`${tick} `.padEnd(MOOD_LENGTH, "abcdefgh"[i]));
        const component = CreatureSchema.typeName;
        void apply({
          case: "set",
          value: { name, component, field: mood, change: { case: "value", value } },
        });
      }
      for (let i = 0; said < SAID && i < 20; i++, said++) {
        const { name } = moody[said % MOODY] ?? { name: "" };
        void apply({ case: "say", value: { name, text: `word ${said}`, shout: true } });
      }
    },
  });
  await over;
  unlisten();
  for (const { name } of moody) {
    const component = CreatureSchema.typeName;
    const value = valueOf("calm again");
    void apply({
      case: "set",
      value: { name, component, field: mood, change: { case: "value", value } },
    });
  }
}

/** Bytes in use, garbage not counted. */
function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function once(player: TestPlayer): Promise<UpdateResponse> {
  for await (const message of player.world.update({ once: true })) return message;
  throw new Error("once gave nothing");
}

test(
  "[JW-5] who does not read costs bounded memory, disturbs nobody, and is brought up to date by a scene",
  { timeout: 60_000 },
  async () => {
    // Somebody who reads, and keeps nothing but the view.
    const quick = await registerPlayer(server.baseUrl, "Fast", "grpc");
    const view = createWorldView({ components: COMPONENTS });
    const controller = new AbortController();
    let messages = 0;
    let words = 0;
    let bytes = 0;
    view.onEvent(
      (event) => event.case === "chat" && event.value.text.startsWith("word") && words++,
    );
    const reading = (async () => {
      for await (const message of quick.world.update({}, { signal: controller.signal })) {
        messages++;
        for (const { components } of message.changed) {
          for (const { value } of components) bytes += value.length;
        }
        view.apply(message);
      }
    })().catch(() => {});
    await eventually("a scene", () => view.self);
    // Once without the slow ones: what that takes is not theirs.
    await stir(STUCK_TICKS, () => {});
    bytes = 0;
    words = 0;

    const older = await registerPlayer(server.baseUrl, "Old");
    const newer = await registerPlayer(server.baseUrl, "New");
    const slow = [await openOverHttp1(older), await openOverHttp2(newer)];
    for (const reader of slow) {
      reader.read();
      await eventually("a scene", () => reader.scenes > 0 && reader.view.self);
      reader.stop();
    }

    const before = usedBytes();
    const from = { tick: view.tick, messages };
    let queued = 0;
    await stir(STUCK_TICKS, () => {
      queued = Math.max(queued, serverSockets.get(slow[0]?.port ?? 0)?.writableLength ?? 0);
    });
    const grown = usedBytes() - before;
    await eventually(
      "the calm",
      () => view.named(moody[0]?.name ?? "")?.get(CreatureSchema)?.mood === "calm again",
    );

    // What was made for each reader is many times what may be held for one.
    expect(bytes).toBeGreaterThan(20_000_000);
    expect(slow.map((reader) => reader.bytes < 4_000_000)).toEqual([true, true]);
    expect(queued).toBeLessThan(4_000_000);
    expect(grown).toBeLessThan(MOST_BYTES);
    // Who reads was told everything, tick by tick.
    expect(words).toBe(SAID);
    expect(messages - from.messages).toBeGreaterThan((view.tick - from.tick) * 0.7);
    expect(view.problems).toBe(0);

    for (const [i, reader] of slow.entries()) {
      reader.read();
      await eventually("a scene to begin afresh", () => reader.scenes > 1 || reader.ended !== "");
      expect(reader.ended).toBe("");
      const player = [older, newer][i] as TestPlayer;
      const both = await compareWithOnce(reader.view, () => once(player));
      expect(both.view).toEqual(both.once);
      expect(reader.view.problems).toBe(0);
      expect(reader.bytes).toBeLessThan(bytes / 2);
      reader.close();
    }
    controller.abort();
    await reading;
  },
);
