import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  BusLetterSchema,
  BusParcelSchema,
  BusVerb,
} from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import type { BusLetter } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";

/** What joins two threads: a `MessagePort`, a `Worker`, or the `parentPort` of one. */
export interface BusPort {
  postMessage(parcel: Uint8Array<ArrayBuffer>, transfer: ArrayBuffer[]): void;
  on(event: "message", listener: (parcel: Uint8Array) => void): unknown;
}

/** Letters that go back and forth between two threads. */
export interface BusMail {
  /** Sends a letter, with all others of this turn of the event loop in one parcel. */
  send(letter: MessageInitShape<typeof BusLetterSchema>): void;
  /** Sends what waits at once, for a thread that is about to end. */
  flush(): void;
  /** Sends and takes nothing more. */
  close(): void;
}

/**
 * Opens the mail of one side. Letters come one after the other, in their order, and before a message is handed over
 * whoever waited for an answer that came before it has gone on: so what happened first is known first.
 */
export function openMail(port: BusPort, onLetter: (letter: BusLetter) => void): BusMail {
  let outgoing: BusLetter[] = [];
  let incoming: BusLetter[] = [];
  let isReading = false;
  let closed = false;

  function flush(): void {
    const letters = outgoing;
    outgoing = [];
    if (closed || letters.length === 0) return;
    const parcel = toBinary(BusParcelSchema, create(BusParcelSchema, { letters }));
    port.postMessage(parcel, [parcel.buffer]);
  }

  function receive(bytes: Uint8Array): void {
    const { letters } = fromBinary(BusParcelSchema, bytes);
    incoming = incoming.length === 0 ? letters : [...incoming, ...letters];
    if (!isReading) read();
  }

  function read(): void {
    isReading = false;
    const letters = incoming;
    incoming = [];
    let answered = false;
    for (const [index, letter] of letters.entries()) {
      if (closed) return;
      if (answered && letter.verb === BusVerb.PUBLISH) {
        incoming = letters.slice(index);
        isReading = true;
        setImmediate(read);
        return;
      }
      answered ||= letter.verb === BusVerb.ANSWER;
      onLetter(letter);
    }
  }

  port.on("message", receive);
  return {
    send(letter) {
      if (outgoing.length === 0) setImmediate(flush);
      outgoing.push(create(BusLetterSchema, letter));
    },
    flush,
    close() {
      closed = true;
      incoming = [];
    },
  };
}
