import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createServerClock } from "./server-clock.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { TOWN, update } from "./testing/messages.ts";

const EPOCH = Number(TOWN.serverTimeMs);

test("without a scene nothing is known", () => {
  const serverClock = createServerClock({ clock: createManualClock() });
  serverClock.observe(update({ tick: 5 }));
  expect(serverClock.tickNow()).toBeUndefined();
  expect(serverClock.serverTimeMs()).toBeUndefined();
  expect(serverClock.tickMs()).toBeUndefined();
});

test("time goes on between messages", () => {
  const clock = createManualClock();
  const serverClock = createServerClock({ clock });
  serverClock.observe(update({ tick: 50, scene: TOWN }));
  clock.advance(250);
  expect(serverClock.tickNow()).toBeCloseTo(52.5, 6);
  expect(serverClock.serverTimeMs()).toBeCloseTo(EPOCH + 250, 3);
  expect(serverClock.tickMs()).toBe(100);
});

test("the estimate is late by no more than the least delay of any message", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 60 }),
      (delays) => {
        const clock = createManualClock();
        const serverClock = createServerClock({ clock });
        delays.forEach((delay, index) => {
          // Tick n happens at n × 100 ms and arrives `delay` later.
          clock.advance(index * 100 + delay - clock.now());
          serverClock.observe(update({ tick: index, ...(index === 0 && { scene: TOWN }) }));
        });
        const least = Math.min(...delays);
        expect(serverClock.tickNow()).toBeCloseTo((clock.now() - least) / 100, 6);
        expect(serverClock.serverTimeMs()).toBeCloseTo(EPOCH + clock.now() - least, 2);
      },
    ),
  );
});

test("a measurement counts for the window only", () => {
  const clock = createManualClock();
  const serverClock = createServerClock({ clock, windowMs: 1_000 });
  serverClock.observe(update({ tick: 0, scene: TOWN }));
  // From now on every message takes 60 ms longer, or the local clock runs fast.
  for (let tick = 1; tick <= 30; tick++) {
    clock.advance(tick * 100 + 60 - clock.now());
    serverClock.observe(update({ tick }));
  }
  expect(serverClock.tickNow()).toBeCloseTo((clock.now() - 60) / 100, 6);
});

test("the tick never goes back by a little, and at once by a lot", () => {
  const clock = createManualClock();
  const serverClock = createServerClock({ clock, windowMs: 10 });
  serverClock.observe(update({ tick: 100, scene: TOWN }));
  expect(serverClock.tickNow()).toBe(100);
  clock.advance(500);
  expect(serverClock.tickNow()).toBe(105);
  serverClock.observe(update({ tick: 101 }));
  expect(serverClock.tickNow()).toBe(105);
  clock.advance(2_000);
  serverClock.observe(update({ tick: 102 }));
  expect(serverClock.tickNow()).toBe(105);
  clock.advance(300);
  expect(serverClock.tickNow()).toBe(105);
  clock.advance(100);
  expect(serverClock.tickNow()).toBe(106);
  serverClock.observe(update({ tick: 20 }));
  expect(serverClock.tickNow()).toBe(20);
});

test("a slowed world has slower ticks, and the time of day goes on as before", () => {
  const clock = createManualClock();
  const serverClock = createServerClock({ clock });
  serverClock.observe(update({ tick: 0, scene: TOWN }));
  clock.advance(100);
  const slow = (percent: number) => [{ kind: { case: "slow", value: { percent } } } as const];
  serverClock.observe(update({ tick: 1, flags: slow(50) }));
  expect(serverClock.tickMs()).toBe(200);
  clock.advance(1_000);
  expect(serverClock.tickNow()).toBeCloseTo(6, 6);
  serverClock.observe(update({ tick: 6, flags: slow(100) }));
  clock.advance(20_000);
  serverClock.observe(update({ tick: 206 }));
  expect(serverClock.tickNow()).toBeCloseTo(206, 6);
  expect(serverClock.serverTimeMs()).toBeCloseTo(EPOCH + 21_100, 2);
});

test("a new scene counts its ticks anew", () => {
  const clock = createManualClock();
  const serverClock = createServerClock({ clock });
  serverClock.observe(update({ tick: 5_000, scene: TOWN }));
  clock.advance(1_000);
  expect(serverClock.tickNow()).toBe(5_010);
  const serverTimeMs = BigInt(EPOCH + 1_000);
  serverClock.observe(update({ tick: 7, scene: { ...TOWN, tickRateHz: 20, serverTimeMs } }));
  expect(serverClock.tickNow()).toBe(7);
  clock.advance(100);
  expect(serverClock.tickNow()).toBeCloseTo(9, 6);
});
