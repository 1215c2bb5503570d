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
  return new Refusals();
}

class Refusals implements RefusedMoves {
  waiting: Uint8Array[] = [];
  /** The last that were sent, in order. */
  private last: Sent[] = [];

  put(outcome: Uint8Array): void {
    this.waiting.push(outcome);
    if (this.waiting.length > MAX_REFUSED_MOVES) this.waiting.shift();
  }

  sent(sequence: number): void {
    if (this.waiting.length === 0) return;
    this.last.push(...this.waiting.map((outcome) => ({ sequence, outcome })));
    this.last = this.last.slice(-MAX_REFUSED_MOVES);
    this.waiting = [];
  }

  takeBack(sequence: number): void {
    const lost = this.last.filter((one) => one.sequence > sequence);
    if (lost.length === 0) return;
    this.last = this.last.slice(0, this.last.length - lost.length);
    const again = lost.map(({ outcome }) => outcome);
    this.waiting = [...again, ...this.waiting].slice(-MAX_REFUSED_MOVES);
  }

  forgetSent(): void {
    this.last = [];
  }
}
