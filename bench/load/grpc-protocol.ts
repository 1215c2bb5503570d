import { isMoved, writeMove } from "../wire/move-bytes.ts";
import type { Protocol } from "./client.ts";
import { createCall, createHeaderBlock, createHttp2Reader, createPreface } from "./http2.ts";
import { createEnvelopeReader, envelope } from "./reassembler.ts";
import { openSocket } from "./socket.ts";
import { createUpdateView, OPEN_UPDATES } from "./update-view.ts";

const SERVICE = "/realmwire.v1.WorldService";
const UPDATE_STREAM = 1;

/** gRPC over HTTP/2 without TLS: one connection for everything. */
export const grpcProtocol: Protocol = {
  answers: "each",
  isMoved,
  createView: createUpdateView,
  async open({ port, credential, withStream, events }) {
    const readUpdates = createEnvelopeReader((_, message) => events.onUpdate(message));
    let answer: Buffer | undefined;
    const readAnswer = createEnvelopeReader((_, message) => {
      answer = message;
    });
    const read = createHttp2Reader(
      {
        onHead: (stream, isOk) => isOk || events.onFailure(`stream ${stream} was refused`),
        onBody: (stream, part) => (stream === UPDATE_STREAM ? readUpdates : readAnswer)(part),
        onEnd(stream) {
          if (stream === UPDATE_STREAM) events.onFailure("the stream ended");
          else if (answer === undefined) events.onFailure("a Move was answered by an error");
          else events.onAnswer(answer);
          answer = undefined;
        },
        onFailure: events.onFailure,
      },
      (bytes) => socket.write(bytes),
    );
    const socket = await openSocket(port, { onData: read, onEnd: events.onFailure });
    const headers = {
      "content-type": "application/grpc+proto",
      te: "trailers",
      authorization: `Bearer ${credential}`,
    };
    const moveBlock = createHeaderBlock(`${SERVICE}/Move`, headers);
    let stream = UPDATE_STREAM;
    let sequence = 0;
    socket.write(createPreface());
    if (withStream) {
      const updateBlock = createHeaderBlock(`${SERVICE}/Update`, headers);
      socket.write(createCall(UPDATE_STREAM, updateBlock, envelope(OPEN_UPDATES)));
    }
    return {
      move(direction) {
        stream += 2;
        socket.write(createCall(stream, moveBlock, envelope(writeMove(direction, ++sequence))));
      },
      bytesRead: () => socket.bytesRead,
      close: () => socket.destroy(),
    };
  },
};
