import type { MoveResult, Mover } from "../../ts/index.ts";
import { MoveRefusal } from "../../ts/index.ts";
import type { Direction } from "./directions.ts";

/**
 * Terminals tell of no key that is let go. A key that is held repeats itself, some 30 times a second; so who presses none for so long, in
 * milliseconds, wants to stand. A tap is a step of about a tile.
 */
const HOLD_MS = 250;
/** A wall that somebody keeps walking into is told of once in so many milliseconds. */
const REFUSAL_MS = 2_000;

/** Walks as long as a key repeats itself. */
export interface KeyWalk {
  press(direction: Direction): void;
  /** Stands still, if it was walking. */
  stop(): void;
}

/** What a walk by keys is made with. */
export interface KeyWalkOptions {
  readonly mover: Pick<Mover, "direction" | "stop">;
  readonly onRefused: (refusal: MoveRefusal) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since any fixed moment. */
  readonly now: () => number;
  /** Runs something later; the answer takes it back. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** Creates a walk that stands. */
export function createKeyWalk(options: KeyWalkOptions): KeyWalk {
  const { mover, onRefused, onError, now, after } = options;
  let cancelStop: (() => void) | undefined;
  let refusedAt = -Infinity;

  const hear = ({ refusal }: MoveResult): void => {
    if (refusal === MoveRefusal.UNSPECIFIED || now() - refusedAt < REFUSAL_MS) return;
    refusedAt = now();
    onRefused(refusal);
  };
  const stop = (): void => {
    if (cancelStop === undefined) return;
    cancelStop();
    cancelStop = undefined;
    mover.stop().catch(onError);
  };
  return {
    press(direction) {
      cancelStop?.();
      cancelStop = after(HOLD_MS, stop);
      mover.direction(direction).then(hear, onError);
    },
    stop,
  };
}
