import { CALLS, MAX_CALLERS } from "./order.ts";
import type { CallName, Stretch } from "./order.ts";

/** Connections for each call alone: so many that more would not bring more, and nobody comes to a limit: 20 Edits a second each, 32 that wait. */
export const CREWS: Record<CallName, number> = {
  Login: 16,
  New: 16,
  Get: MAX_CALLERS,
  Set: 100,
  Edit: 28,
};

/** A world in which everything happens at once, and nobody comes to a limit either. */
const MIXED: Record<CallName, number> = { Login: 4, New: 2, Get: 200, Set: 100, Edit: 12 };

/** Stretches without a load: before, to compare with, and after, to see that nothing is left behind. */
export const QUIET = "no calls";

/** What is loaded, one after the other. */
export const STRETCHES: readonly Stretch[] = [
  { name: QUIET, crew: {} },
  ...CALLS.map((call) => ({ name: call, crew: { [call]: CREWS[call] } })),
  { name: "all at once", crew: MIXED },
  { name: `${QUIET} again`, crew: {} },
];
