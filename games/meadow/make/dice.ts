/** Numbers that look random but are the same for the same seed. */
export interface Dice {
  /** At least 0 and less than 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** True in this share of the cases. */
  chance(share: number): boolean;
}

/** Dice for a seed (the generator mulberry32). */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
    chance: (share) => next() < share,
  };
}

/** A number from 0 to 1 that belongs to a place. */
export function hash(x: number, y: number, seed: number): number {
  let h =
    Math.imul(x, 374_761_393) ^ Math.imul(y, 668_265_263) ^ Math.imul(seed + 1, 1_274_126_177);
  h = Math.imul(h ^ (h >>> 13), 1_103_515_245);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** Smooth noise from 0 to 1 that repeats after `period` in both directions; `cell` is the size of its grain. */
export function smoothNoise(
  x: number,
  y: number,
  cell: number,
  period: number,
  seed: number,
): number {
  const cells = Math.max(1, Math.round(period / cell));
  const [gx, gy] = [x / cell, y / cell];
  const [x0, y0] = [Math.floor(gx), Math.floor(gy)];
  const at = (i: number, j: number): number =>
    hash((((x0 + i) % cells) + cells) % cells, (((y0 + j) % cells) + cells) % cells, seed);
  const [u, v] = [ease(gx - x0), ease(gy - y0)];
  const top = at(0, 0) * (1 - u) + at(1, 0) * u;
  const bottom = at(0, 1) * (1 - u) + at(1, 1) * u;
  return top * (1 - v) + bottom * v;
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
