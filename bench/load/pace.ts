import type { Crowd, Member } from "./crowd.ts";

/** How often the due Moves are sent. */
const PACE_MS = 4;
/** Moves that are made up for at once after the generator itself was late. */
const MAX_BURST = 200;

/** Lets players send Moves, evenly spread over time, until the function that comes back is called. */
export function startMoves(
  crowd: Crowd,
  members: readonly Member[],
  movesPerSecond: number,
): () => void {
  const perMs = (members.length * movesPerSecond) / 1000;
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const due = Math.floor((now - begun) * perMs);
    sent = Math.max(sent, due - MAX_BURST);
    for (; sent < due; sent++) {
      const { player, walker } = members[sent % members.length] as Member;
      crowd.move(player, walker.next(now));
    }
  }, PACE_MS);
  return () => clearInterval(timer);
}
