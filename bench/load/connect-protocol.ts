import type { Socket } from "node:net";
import { isMoved, writeMove } from "../wire/move-bytes.ts";
import type { ClientOptions, GameClient, Protocol } from "./client.ts";
import { createHttp1Reader, createPost, createPostHead } from "./http1.ts";
import { createEnvelopeReader, envelope } from "./reassembler.ts";
import { connectSocket, openSocket } from "./socket.ts";
import { createUpdateView, OPEN_UPDATES } from "./update-view.ts";

const SERVICE = "/realmwire.v1.WorldService";
/** The flag of a stream's last envelope, which says how the stream ended. */
const END_STREAM_FLAG = 2;

/** Connect with binary messages over HTTP/1.1, as a browser has it: one connection for the stream, one for calls. */
export const connectProtocol: Protocol = {
  answers: "each",
  isMoved,
  createView: createUpdateView,
  async open(options) {
    const stream = options.withStream ? await openStream(options) : undefined;
    const calls = createCalls(options);
    return {
      move: calls.move,
      bytesRead: () => calls.bytesRead() + (stream?.bytesRead ?? 0),
      close() {
        calls.close();
        stream?.destroy();
      },
    };
  },
};

function headersOf({ credential }: ClientOptions, contentType: string): Record<string, string> {
  return {
    "content-type": contentType,
    "connect-protocol-version": "1",
    authorization: `Bearer ${credential}`,
  };
}

async function openStream(options: ClientOptions) {
  const { port, events } = options;
  const readEnvelopes = createEnvelopeReader((flags, message) => {
    if ((flags & END_STREAM_FLAG) !== 0)
      events.onFailure(`the stream ended: ${message.toString()}`);
    else events.onUpdate(message);
  });
  const read = createHttp1Reader({
    onHead: (status) => status === 200 || events.onFailure(`the stream was answered by ${status}`),
    onBody: readEnvelopes,
    onEnd: () => events.onFailure("the stream ended"),
  });
  const socket = await openSocket(port, { onData: read, onEnd: events.onFailure });
  const head = createPostHead(`${SERVICE}/Update`, headersOf(options, "application/connect+proto"));
  socket.write(createPost(head, envelope(OPEN_UPDATES)));
  return socket;
}

/** Opens its connection with the first Move, as a browser does: one on which nothing is said for long is closed by the server. */
function createCalls(options: ClientOptions): GameClient {
  const { port, events } = options;
  let socket: Socket | undefined;
  let answer: Buffer[] = [];
  const read = createHttp1Reader({
    onHead: (status) => status === 200 || events.onFailure(`a Move was answered by ${status}`),
    onBody: (part) => answer.push(part),
    onEnd() {
      const [first] = answer;
      const whole = answer.length === 1 && first ? first : Buffer.concat(answer);
      answer = [];
      events.onAnswer(whole);
    },
  });
  const head = createPostHead(`${SERVICE}/Move`, headersOf(options, "application/proto"));
  let sequence = 0;
  return {
    move(direction) {
      socket ??= connectSocket(port, { onData: read, onEnd: events.onFailure });
      socket.write(createPost(head, writeMove(direction, ++sequence)));
    },
    bytesRead: () => socket?.bytesRead ?? 0,
    close: () => void socket?.destroy(),
  };
}
