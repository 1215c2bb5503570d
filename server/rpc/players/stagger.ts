/** Players whose streams are written in one go; between them the event loop reads what came in. */
export const PLAYERS_A_TURN = 64;

/**
 * Spreads the work of a tick over turns of the event loop, so that a call never waits until everybody's
 * stream was written.
 */
export interface Stagger {
  /** Lets a piece of work have its turn. One that waits already is not put in twice. */
  add(work: () => void): void;
}

/** A queue without work. It is served `atOnce` pieces a turn, in the order in which they came. */
export function createStagger(atOnce = PLAYERS_A_TURN): Stagger {
  const waiting = new Set<() => void>();
  let isScheduled = false;

  function serve(): void {
    isScheduled = false;
    const turn: (() => void)[] = [];
    for (const work of waiting) {
      if (turn.length === atOnce) break;
      waiting.delete(work);
      turn.push(work);
    }
    if (waiting.size > 0) schedule();
    for (const work of turn) work();
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(serve);
  }

  return {
    add(work) {
      waiting.add(work);
      schedule();
    },
  };
}
