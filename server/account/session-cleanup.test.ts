import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { createSessionCleanup } from "./session-cleanup.ts";

const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("sessions that ran out are deleted at the start and every hour, also after a failure, until it is closed", async () => {
  const asked: number[] = [];
  const { logger, lines } = createMemoryLog();
  const begin = Date.now();
  const cleanup = createSessionCleanup({
    store: {
      deleteExpiredSessions(beforeMs) {
        asked.push(beforeMs - begin);
        return asked.length === 2 ? Promise.reject(new Error("away")) : Promise.resolve(0);
      },
    },
    now: Date.now,
    logger,
  });
  await cleanup.start();
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(asked).toEqual([0, HOUR_MS, 2 * HOUR_MS]);
  expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  await cleanup.close();
  await vi.advanceTimersByTimeAsync(2 * HOUR_MS);
  expect(asked).toHaveLength(3);
});
