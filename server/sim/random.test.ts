import { describe, expect, it } from "vitest";
import { createRandom, randomStateOf } from "./random.ts";

describe("random", () => {
  it("is the same sequence on every machine", () => {
    const random = createRandom([1, 2, 3, 4]);
    const words = Array.from({ length: 5 }, () => random.next() * 2 ** 32);
    expect(words).toEqual(referenceSfc32([1, 2, 3, 4], 5));
    expect(words.every(Number.isInteger)).toBe(true);
  });

  it("goes on from its state", () => {
    const random = createRandom(randomStateOf("seed"));
    for (let i = 0; i < 10; i++) random.next();
    const copy = createRandom(random.state());
    expect(Array.from({ length: 10 }, copy.next)).toEqual(Array.from({ length: 10 }, random.next));
  });

  it("differs by seed", () => {
    const seeds = ["", "a", "b", "ab", "ba", "zone meadow", "zone meadoW"];
    expect(new Set(seeds.map((seed) => createRandom(randomStateOf(seed)).next())).size).toBe(
      seeds.length,
    );
  });

  it("[SM-19] is fair: each of 20 sides in 5 % of 100,000 throws, within five standard deviations", () => {
    const random = createRandom(randomStateOf("dice"));
    const counts = Array.from({ length: 20 }, () => 0);
    for (let i = 0; i < 100_000; i++) {
      const side = random.below(20);
      counts[side] = (counts[side] ?? 0) + 1;
    }
    const deviation = Math.sqrt(100_000 * 0.05 * 0.95);
    for (const count of counts) expect(Math.abs(count - 5_000)).toBeLessThan(5 * deviation);
  });

  it("picks every item", () => {
    const random = createRandom(randomStateOf("pick"));
    const picked = new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"])));
    expect([...picked].sort()).toEqual(["a", "b", "c"]);
  });
});

/** sfc32 by its definition in PractRand, in arithmetic without 32-bit operators. */
function referenceSfc32(state: number[], count: number): number[] {
  const wrap = (value: bigint) => value & 0xffffffffn;
  let [a, b, c, counter] = state.map(BigInt) as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = wrap(a + b + counter);
    counter = wrap(counter + 1n);
    a = b ^ (b >> 9n);
    b = wrap(c + wrap(c << 3n));
    c = wrap(wrap(wrap(c << 21n) | (c >> 11n)) + result);
    return Number(result);
  });
}
