/** The words of a generator's state: four of 32 bits. */
export type RandomState = readonly number[];

/** A seeded generator. All chance in a zone comes from its own one, so that a zone can be replayed. */
export interface Random {
  /** A number in [0, 1) with 32 bits of chance. */
  next(): number;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** The words that continue the sequence when given to {@link createRandom}. */
  state(): RandomState;
}

/** The state that a text seed leads to (FNV-1a over its UTF-16 units, then spread by splitmix32). */
export function randomStateOf(seed: string): RandomState {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) {
    hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  }
  const words: number[] = [];
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) | 0;
    let z = hash;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    words.push((z ^ (z >>> 16)) >>> 0);
  }
  return words;
}

/** The generator sfc32 (Doty-Humphrey, PractRand): small, fast and the same on every machine. */
export function createRandom(state: RandomState): Random {
  let [a = 0, b = 0, c = 0, d = 1] = state.map((word) => word | 0);

  function word(): number {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }

  const next = () => word() / 0x1_0000_0000;
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    next,
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}
