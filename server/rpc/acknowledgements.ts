import type { MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { ViewSource } from "../sim/sight.ts";

/** Moves that wait until they are to be seen; beyond it the older ones are acknowledged together with newer ones. */
export const MAX_WAITING_MOVES = 256;

/** What viewers look into, as far as it tells which moves they see. */
type Shown = Pick<ViewSource, "tick">;

/**
 * Which moves of a character are to be seen. A message that acknowledges a move must show what came of it, which is
 * from the tick on that it belongs to.
 */
export interface Acknowledgements {
  /** A Move was carried out, with these outcomes. */
  note(response: MoveResponse): void;
  /** The sequence of the last move that is seen by now, and with it all before; 0: none. */
  seenIn(shown: Shown): number;
  /** The character was taken elsewhere with whatever came of its moves. */
  settle(): void;
}

interface Waiting {
  readonly sequence: number;
  /** The tick that shows it. */
  readonly tick: number;
}

/** No moves yet. */
export function createAcknowledgements(): Acknowledgements {
  let seen = 0;
  let waiting: Waiting[] = [];

  function add(sequence: number, tick: number): void {
    if (sequence === 0) return;
    // Of moves that are seen together the last one is enough.
    if (waiting.at(-1)?.tick === tick) waiting.pop();
    waiting.push({ sequence, tick });
    if (waiting.length > MAX_WAITING_MOVES) waiting.shift();
  }

  return {
    note({ sequence, tick, outcomes }) {
      add(sequence, tick);
      for (const outcome of outcomes) add(outcome.sequence, tick);
    },
    seenIn({ tick }) {
      let count = 0;
      for (const move of waiting) {
        if (move.tick > tick) break;
        seen = move.sequence;
        count += 1;
      }
      if (count > 0) waiting = waiting.slice(count);
      return seen;
    },
    settle() {
      seen = waiting.at(-1)?.sequence ?? seen;
      waiting = [];
    },
  };
}
