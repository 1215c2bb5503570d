/** Players whose streams are written in one go; between them the event loop reads what came in. */
export const PLAYERS_A_TURN = 64;

/**
 * Spreads the work of a tick over turns of the event loop, so that a call never waits until everybody's
 * stream was written.
 */
export interface Stagger {
  /** Takes a piece of work. What comes back lets it have its turn; while it waits for that, asking again changes nothing. */
  enlist(work: () => void): () => void;
}

interface Piece {
  readonly work: () => void;
  isWaiting: boolean;
}

/** A queue without work. It is served `atOnce` pieces a turn, in the order in which they asked. */
export function createStagger(atOnce = PLAYERS_A_TURN): Stagger {
  // An array that keeps its room: a Set of everybody, filled and emptied each tick, makes garbage that grows old.
  const waiting: (Piece | undefined)[] = [];
  let first = 0;
  let end = 0;
  let isScheduled = false;

  function serve(): void {
    isScheduled = false;
    const turn: Piece[] = [];
    while (turn.length < atOnce && first < end) {
      const piece = waiting[first] as Piece;
      waiting[first++] = undefined;
      piece.isWaiting = false;
      turn.push(piece);
    }
    if (first < end) schedule();
    else first = end = 0;
    for (const { work } of turn) work();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(serve);
  }

  return {
    enlist(work) {
      const piece: Piece = { work, isWaiting: false };
      return () => {
        if (piece.isWaiting) return;
        piece.isWaiting = true;
        waiting[end++] = piece;
        schedule();
      };
    },
  };
}
