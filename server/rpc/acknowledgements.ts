import { MoveRefusal } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  MoveOutcome,
  MoveRequest,
  MoveResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { ViewSource } from "../sim/viewer.ts";

/** Moves that wait until they are to be seen; beyond it the older ones are acknowledged together with newer ones. */
export const MAX_WAITING_MOVES = 256;

/** What viewers look into, as far as it tells which moves they see. */
type Shown = Pick<ViewSource, "tick" | "settled">;

/**
 * Which moves of a character are to be seen. A message that acknowledges a move must show what came of it: an offset
 * is seen at once, a walk only from the tick on that it begins with.
 */
export interface Acknowledgements {
  /** A Move with these outcomes was carried out. */
  note(request: MoveRequest, response: MoveResponse): void;
  /** The sequence of the last move that is seen by now, and with it all before; 0: none. */
  seenIn(shown: Shown): number;
  /** The character was taken elsewhere with whatever came of its moves. */
  settle(): void;
}

interface Waiting {
  readonly sequence: number;
  /** The tick that shows it. */
  readonly tick: number;
  /** Whether it is seen before that, where inputs are seen between ticks. */
  readonly atOnce: boolean;
}

/** No moves yet. */
export function createAcknowledgements(): Acknowledgements {
  let seen = 0;
  let waiting: Waiting[] = [];

  function add(way: MoveRequest["kind"]["case"], outcome: Outcome, tick: number): void {
    const { sequence, refusal } = outcome;
    if (sequence === 0) return;
    const atOnce = refusal !== MoveRefusal.UNSPECIFIED || way === "offset";
    const last = waiting.at(-1);
    // Of moves that are seen together the last one is enough.
    if (last?.tick === tick && last.atOnce === atOnce) waiting.pop();
    waiting.push({ sequence, tick, atOnce });
    if (waiting.length > MAX_WAITING_MOVES) waiting.shift();
  }

  return {
    note(request, response) {
      const { moves } = request;
      const { tick, outcomes } = response;
      if (moves.length === 0) add(request.kind.case, response, tick);
      for (const [index, { kind }] of moves.entries()) {
        const outcome = outcomes[index];
        if (outcome) add(kind.case, outcome, tick);
      }
    },
    seenIn({ tick, settled }) {
      let count = 0;
      for (const move of waiting) {
        if (move.tick > tick && (settled || !move.atOnce)) break;
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

type Outcome = Pick<MoveOutcome, "sequence" | "refusal">;
