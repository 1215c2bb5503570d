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
  // Two arrays that keep their room, as each piece waits once at most: one is served while the other fills. A Set of everybody, filled and
  // emptied each tick, makes garbage that grows old.
  let serving: (Piece | undefined)[] = [];
  let first = 0;
  let end = 0;
  let coming: (Piece | undefined)[] = [];
  let count = 0;
  let isScheduled = false;

  function take(): Piece | undefined {
    if (first === end) {
      [serving, coming] = [coming, serving];
      [first, end, count] = [0, count, 0];
    }
    if (first === end) return undefined;
    const piece = serving[first] as Piece;
    serving[first++] = undefined;
    piece.isWaiting = false;
    return piece;
  }

  function serve(): void {
    isScheduled = false;
    const turn: Piece[] = [];
    while (turn.length < atOnce) {
      const piece = take();
      if (piece === undefined) break;
      turn.push(piece);
    }
    if (first < end || count > 0) schedule();
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
        coming[count++] = piece;
        schedule();
      };
    },
  };
}
