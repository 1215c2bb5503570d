import { isMoved, writeMove } from "../wire/move-bytes.ts";
import { MESSAGE } from "../wire/socket-messages.ts";
import type { Protocol } from "./client.ts";
import { openSocket } from "./socket.ts";
import { createUpdateView } from "./update-view.ts";
import { createFrame, createUpgrade, createWebSocketReader } from "./web-socket.ts";

/** The benchmark's own plain WebSocket server: a byte that says which message it is, and the message. */
export const wsProtocol: Protocol = {
  answers: "each",
  isMoved,
  createView: createUpdateView,
  async open({ port, player, events }) {
    const read = createWebSocketReader(
      {
        onOpen: () => {},
        onMessage(message) {
          if (message[0] === MESSAGE.update) events.onUpdate(message.subarray(1));
          else events.onAnswer(message.subarray(1));
        },
        onFailure: events.onFailure,
      },
      (bytes) => socket.write(bytes),
    );
    const socket = await openSocket(port, { onData: read, onEnd: events.onFailure });
    socket.write(createUpgrade(`/?player=${player}`));
    let sequence = 0;
    return {
      move(direction) {
        socket.write(createFrame(writeMove(direction, ++sequence)));
      },
      bytesRead: () => socket.bytesRead,
      close: () => socket.destroy(),
    };
  },
};
