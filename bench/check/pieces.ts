/** A piece of the hot path, as a multiple of something plain of the same nature that is measured in the same run. */
export interface Piece {
  /** What is measured, and what it is a multiple of. */
  readonly what: string;
  /** By so much of the baseline it may grow: well above the noise of a busy machine, see docs/performance.md. */
  readonly margin: number;
}

/** The pieces that are watched. */
export const PIECES = {
  message: {
    what: "writing a viewer's message among 1,000 walkers, to a plain grid, Map and columns",
    margin: 0.5,
  },
  step: {
    what: "a step of 1,000 walkers, to a plain loop that walks them",
    margin: 1,
  },
  population: {
    what: "a tick of one of 10,000, to that of one of 1,000 at the same density",
    margin: 0.5,
  },
  move: {
    what: "a unary Move in Connect over HTTP/1.1, to an echo of node:http",
    margin: 0.5,
  },
  moveH2c: {
    what: "a unary Move in gRPC over h2c, to an echo of node:http2",
    margin: 0.5,
  },
  update: {
    what: "an update on a stream, from the tick to the socket, to an echo of node:http",
    margin: 0.8,
  },
} as const satisfies Record<string, Piece>;
export type PieceName = keyof typeof PIECES;
export const PIECE_NAMES = Object.keys(PIECES) as PieceName[];

/** Ratios of some pieces. */
export type Ratios = Partial<Record<PieceName, number>>;

/** The least that one thing took in several rounds, as a multiple of the least that another took in the same rounds. */
export function ratioOfLeast(own: readonly number[], reference: readonly number[]): number {
  return Math.min(...own) / Math.min(...reference);
}
