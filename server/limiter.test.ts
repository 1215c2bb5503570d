import fc from "fast-check";
import { expect, test } from "vitest";
import { createLimiter } from "./limiter.ts";

test("a burst at once, then the rate, and the wait that it names is enough", () => {
  let time = 1000;
  const limiter = createLimiter({ perSecond: 4, burst: 3, now: () => time });
  expect([1, 2, 3].map(() => limiter.take("ada"))).toEqual([0, 0, 0]);
  expect(limiter.take("ada")).toBe(250);
  expect(limiter.take("bob")).toBe(0);
  time += 100;
  const wait = limiter.take("ada");
  expect(wait).toBe(150);
  time += wait - 1;
  expect(limiter.take("ada")).toBeGreaterThan(0);
  time += 1;
  expect(limiter.take("ada")).toBe(0);
  time += 3_600_000;
  expect([1, 2, 3, 4].map(() => limiter.take("ada") === 0)).toEqual([true, true, true, false]);
});

test("several calls at once cost as much as one after the other, and none is taken in vain", () => {
  let time = 0;
  const limiter = createLimiter({ perSecond: 4, burst: 8, now: () => time });
  expect(limiter.take("ada", 5)).toBe(0);
  // 3 are left: 2 more take half a second.
  expect(limiter.take("ada", 5)).toBe(500);
  expect(limiter.take("ada", 3)).toBe(0);
  expect(limiter.take("ada")).toBe(250);
  time += 2_000;
  expect(limiter.take("ada", 8)).toBe(0);
});

test("what is given back can be taken again, and never fills more than the bucket", () => {
  const limiter = createLimiter({ perSecond: 1, burst: 2, now: () => 0 });
  expect([1, 2, 3].map(() => limiter.take("ada") === 0)).toEqual([true, true, false]);
  limiter.giveBack("ada");
  expect([1, 2].map(() => limiter.take("ada") === 0)).toEqual([true, false]);
  for (let i = 0; i < 5; i++) limiter.giveBack("ada");
  expect([1, 2, 3].map(() => limiter.take("ada") === 0)).toEqual([true, true, false]);
  limiter.giveBack("nobody");
  expect(limiter.size).toBe(1);
});

test("no span of time has more calls than burst + rate * time, and none is refused that fits", () => {
  const calls = fc.array(
    fc.record({ pauseMs: fc.integer({ min: 0, max: 3000 }), caller: fc.constantFrom("a", "b") }),
    { maxLength: 60 },
  );
  const limits = fc.record({
    perSecond: fc.double({ min: 0.1, max: 50, noNaN: true }),
    burst: fc.integer({ min: 1, max: 10 }),
  });
  fc.assert(
    fc.property(limits, calls, ({ perSecond, burst }, steps) => {
      let time = 0;
      const limiter = createLimiter({ perSecond, burst, now: () => time });
      const taken = new Map<string, number[]>([
        ["a", []],
        ["b", []],
      ]);
      const fits = (times: readonly number[]) =>
        times.every((from, index) => {
          const count = times.length - index;
          return count <= burst + (perSecond * (time - from)) / 1000 + 1e-6;
        });
      for (const { pauseMs, caller } of steps) {
        time += pauseMs;
        const times = taken.get(caller) ?? [];
        const wait = limiter.take(caller);
        if (wait === 0) {
          times.push(time);
          expect(fits(times)).toBe(true);
        } else {
          const exact = burst + 1e-6;
          expect(wait).toBeLessThanOrEqual(Math.ceil(1000 / perSecond) + 1);
          // One more would have been too many in some span that ends now.
          const least = times.some(
            (from, index) =>
              times.length - index + 1 > exact - 2e-6 + (perSecond * (time - from)) / 1000,
          );
          expect(least).toBe(true);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("it remembers a bounded number of callers, and forgets those that were longest silent", () => {
  let time = 0;
  const limiter = createLimiter({ perSecond: 0.001, burst: 1, now: () => time, maxBuckets: 100 });
  expect(limiter.take("steady")).toBe(0);
  expect(limiter.take("silent")).toBe(0);
  for (let i = 0; i < 10_000; i++) {
    time += 1;
    limiter.take(`guest-${i}`);
    // Calls again before 50 others did: its empty bucket is still known.
    if (i % 40 === 0) expect(limiter.take("steady")).toBeGreaterThan(0);
    expect(limiter.size).toBeLessThanOrEqual(101);
  }
  expect(limiter.take("silent")).toBe(0);
});
