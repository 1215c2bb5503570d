import { readAcknowledged } from "../wire/acknowledged.ts";
import { writeInput } from "../wire/move-bytes.ts";
import type { Protocol } from "./client.ts";
import {
  createCall,
  createData,
  createHeaderBlock,
  createHttp2Reader,
  createOpenCall,
  createPreface,
} from "./http2.ts";
import { createEnvelopeReader, envelope } from "./reassembler.ts";
import { openSocket } from "./socket.ts";
import { createUpdateView, OPEN_UPDATES } from "./update-view.ts";

const SERVICE = "/realmwire.v1.WorldService";
const UPDATE_STREAM = 1;
const INPUT_STREAM = 3;

/**
 * gRPC over HTTP/2 without TLS, with the Moves on one Input stream: they are answered by what the updates acknowledge. A refused one ends
 * the run.
 */
export const inputProtocol: Protocol = {
  answers: "together",
  isMoved: () => true,
  createView: createUpdateView,
  async open({ port, credential, withStream, events }) {
    let sequence = 0;
    /** The first Move since the last answer; 0: none. */
    let awaited = 0;
    const readUpdates = createEnvelopeReader((_, message) => {
      const acknowledged = readAcknowledged(message);
      if (acknowledged.hasRefused) events.onFailure("a Move was refused");
      if (awaited > 0 && acknowledged.sequence >= awaited) {
        awaited = 0;
        events.onAnswer(message);
      }
      events.onUpdate(message);
    });
    const read = createHttp2Reader(
      {
        onHead: (stream, isOk) => isOk || events.onFailure(`stream ${stream} was refused`),
        onBody: (stream, part) => stream === UPDATE_STREAM && readUpdates(part),
        onEnd: (stream) => events.onFailure(`stream ${stream} ended`),
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
    socket.write(createPreface());
    if (withStream) {
      const updateBlock = createHeaderBlock(`${SERVICE}/Update`, headers);
      socket.write(createCall(UPDATE_STREAM, updateBlock, envelope(OPEN_UPDATES)));
    }
    socket.write(createOpenCall(INPUT_STREAM, createHeaderBlock(`${SERVICE}/Input`, headers)));
    return {
      move(direction) {
        sequence += 1;
        awaited ||= sequence;
        socket.write(createData(INPUT_STREAM, envelope(writeInput(direction, sequence))));
      },
      bytesRead: () => socket.bytesRead,
      close: () => socket.destroy(),
    };
  },
};
