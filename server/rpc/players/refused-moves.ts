/** Refused moves that wait for a reader; beyond it the oldest are dropped. `world_service.proto` tells the same number. */
export const MAX_REFUSED_MOVES = 64;

/** Serialized `MoveOutcome` messages of refused moves, as one reader is to be told of them. */
export interface RefusedMoves {
  put(outcome: Uint8Array): void;
  /** Those that wait, the oldest first. They go on waiting until they are {@link sent}. */
  readonly waiting: readonly Uint8Array[];
  /** All that waited have gone out with the message of this number. */
  sent(sequence: number): void;
  /** The reader has only got the messages up to this number: what came after waits again. */
  takeBack(sequence: number): void;
  /** What was sent is not taken back any more: messages are numbered anew. */
  forgetSent(): void;
}

interface Sent {
  readonly sequence: number;
  readonly outcome: Uint8Array;
}

/** No moves yet. */
export function createRefusedMoves(): RefusedMoves {
  let waiting: Uint8Array[] = [];
  /** The last that were sent, in order. */
  let sent: Sent[] = [];
  return {
    put(outcome) {
      waiting.push(outcome);
      if (waiting.length > MAX_REFUSED_MOVES) waiting.shift();
    },
    get waiting() {
      return waiting;
    },
    sent(sequence) {
      if (waiting.length === 0) return;
      sent.push(...waiting.map((outcome) => ({ sequence, outcome })));
      sent = sent.slice(-MAX_REFUSED_MOVES);
      waiting = [];
    },
    takeBack(sequence) {
      const lost = sent.filter((one) => one.sequence > sequence);
      if (lost.length === 0) return;
      sent = sent.slice(0, sent.length - lost.length);
      waiting = [...lost.map(({ outcome }) => outcome), ...waiting].slice(-MAX_REFUSED_MOVES);
    },
    forgetSent() {
      sent = [];
    },
  };
}
