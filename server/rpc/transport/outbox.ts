import type { Writable } from "node:stream";

/** Who wants to know that its piece was written. */
export interface Sender {
  /** The piece was written, or dropped because its connection is closed. */
  onWritten(): void;
}

/** What a piece is written to. */
export type OutboxTarget = Pick<Writable, "writable"> & {
  write(piece: string, encoding: "latin1"): unknown;
  write(piece: Uint8Array): unknown;
};

interface Waiting {
  readonly target: OutboxTarget;
  readonly piece: string | Uint8Array;
  readonly sender: Sender | undefined;
}

// One for the process, as the event loop is. `next` is the first that was not written yet.
const waiting: Waiting[] = [];
let next = 0;

/**
 * Writes a piece to a connection once all that this turn of the event loop brought has been worked through; a text in latin1. Pieces are
 * written in the order in which they came. A thousand short calls and short writes by turns push each other's code and data out of the
 * processor's caches: done in two goes they cost a fifth less, and who reads at the other end wakes up less often.
 */
export function writeSoon(target: OutboxTarget, piece: string | Uint8Array, sender?: Sender): void {
  if (waiting.length === 0) setImmediate(flushOutbox);
  waiting.push({ target, piece, sender });
}

/** Writes all pieces that wait, at once: before anything is written to one of their connections in another way. */
export function flushOutbox(): void {
  try {
    // A sender that was told may flush as well: it goes on from here.
    while (next < waiting.length) {
      const { target, piece, sender } = waiting[next++] as Waiting;
      if (target.writable) {
        if (typeof piece === "string") target.write(piece, "latin1");
        else target.write(piece);
      }
      sender?.onWritten();
    }
  } finally {
    // One that throws does not keep the others waiting.
    if (next < waiting.length) setImmediate(flushOutbox);
    else {
      waiting.length = 0;
      next = 0;
    }
  }
}
