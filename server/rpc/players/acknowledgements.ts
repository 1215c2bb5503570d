/** Moves that may be on their way to the streams at once. Beyond it two count as one, and the first waits for the second. */
export const MAX_WAITING_MOVES = 64;

/** Which Moves of a character its streams may call done: those whose changes the state shows that they tell of. */
export interface Acknowledgements {
  /** A Move with this sequence was carried out; its changes belong to this tick. */
  note(sequence: number, tick: number): void;
  /** The sequence of the last Move that a state shows which has the changes up to this tick. */
  shownAt(tick: number): number;
  /** The character is in another zone: ticks count anew, and whatever it did before shows there. */
  settle(): void;
}

interface Waiting {
  readonly sequence: number;
  readonly tick: number;
}

/** No Moves yet. */
export function createAcknowledgements(): Acknowledgements {
  let shown = 0;
  const waiting: Waiting[] = [];
  return {
    note(sequence, tick) {
      if (waiting.at(-1)?.tick === tick || waiting.length >= MAX_WAITING_MOVES) waiting.pop();
      waiting.push({ sequence, tick });
    },
    shownAt(tick) {
      while (waiting[0] && waiting[0].tick <= tick) shown = (waiting.shift() as Waiting).sequence;
      return shown;
    },
    settle() {
      shown = waiting.at(-1)?.sequence ?? shown;
      waiting.length = 0;
    },
  };
}
