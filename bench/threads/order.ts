/** The zones in which there is much to compute. */
export const FORESTS = ["forest-1", "forest-2"] as const;
/** The password of everybody here. */
export const PASSWORD = "correct-horse";

/** What the server's process is told, as its only argument in JSON. */
export interface ThreadsOrder {
  readonly threads: number;
  /** Players in the plain; each forest gets one more. */
  readonly players: number;
  /** Whether there are fences in the forests, and so long ways. */
  readonly heavy: boolean;
  readonly dataDir: string;
}

/** What it says when it can be called. */
export interface ThreadsReady {
  readonly port: number;
}

/** The name of a player. */
export function nameOf(player: number): string {
  return `Walker${player}`;
}
