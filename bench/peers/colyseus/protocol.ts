// Colyseus' wire protocol as its own client speaks it, on a bare WebSocket; the state is read with its own decoder.
import { Reflection } from "@colyseus/schema";
import type { Decoder } from "@colyseus/schema";
import type { GameClient, Protocol, View } from "../../load/client.ts";
import { openSocket } from "../../load/socket.ts";
import { createFrame, createUpgrade, createWebSocketReader } from "../../load/web-socket.ts";
import type { Place } from "../../world/rules.ts";
import type { State } from "./schema.ts";

const MESSAGE = { joinRoom: 10, error: 11, roomData: 13, state: 14, patch: 15 } as const;
const MOVE_TYPE = 0;
const ARRAY_OF_2 = 0x92;
const INT_16 = 0xd1;
const DIRECTION_PARTS = 1000;
/** Colyseus' variable numbers: values below 128 stand for themselves, these begin longer ones. */
const UINT_8 = 0xcc;
const UINT_16 = 0xcd;

/** Colyseus. Its Moves are messages without an answer. */
export const protocol: Protocol = {
  answers: "none",
  isMoved: () => true,
  createView,
  async open({ port, credential, events }): Promise<GameClient> {
    const read = createWebSocketReader(
      {
        onOpen: () => {},
        onMessage(message) {
          const kind = message[0];
          if (kind === MESSAGE.error) events.onFailure(`refused: ${message.toString("latin1")}`);
          if (kind === MESSAGE.joinRoom) socket.write(createFrame(Buffer.from([MESSAGE.joinRoom])));
          events.onUpdate(message);
        },
        onFailure: events.onFailure,
      },
      (bytes) => socket.write(bytes),
    );
    const socket = await openSocket(port, { onData: read, onEnd: events.onFailure });
    socket.write(createUpgrade(credential));
    return {
      move: ({ x, y }) => socket.write(createFrame(createMove(x, y))),
      bytesRead: () => socket.bytesRead,
      close: () => socket.destroy(),
    };
  },
};

function createMove(x: number, y: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = MESSAGE.roomData;
  bytes[1] = MOVE_TYPE;
  bytes[2] = ARRAY_OF_2;
  bytes[3] = INT_16;
  bytes.writeInt16BE(Math.round(x * DIRECTION_PARTS), 4);
  bytes[6] = INT_16;
  bytes.writeInt16BE(Math.round(y * DIRECTION_PARTS), 7);
  return bytes;
}

function createView(player: number): View {
  let decoder: Decoder<State> | undefined;
  const players = () => decoder?.state.players;
  return {
    apply(message) {
      if (message[0] === MESSAGE.joinRoom) decoder = Reflection.decode<State>(handshakeOf(message));
      if (message[0] === MESSAGE.state || message[0] === MESSAGE.patch) {
        decoder?.decode(message, { offset: 1 });
      }
    },
    size: () => players()?.size ?? 0,
    seesItself: () => players()?.has(String(player)) ?? false,
    placeOf(other): Place | undefined {
      const state = players()?.get(String(other));
      return state && { x: state.x, y: state.y };
    },
  };
}

/** The description of the state in the message that answers a join. */
function handshakeOf(message: Buffer): Buffer {
  let at = 1;
  at += 1 + (message[at] as number);
  at += 1 + (message[at] as number);
  const first = message[at++] as number;
  if (first < 128) return message.subarray(at, at + first);
  if (first === UINT_8) return message.subarray(at + 1, at + 1 + (message[at] as number));
  if (first === UINT_16) return message.subarray(at + 2, at + 2 + message.readUInt16LE(at));
  throw new Error("the description of the state has an unknown length");
}
