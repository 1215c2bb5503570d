import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { requireOrSkip } from "../test/support/require.ts";
import { createSmallDisk, SMALL_DISK_NEEDED } from "../test/support/small-disk.ts";
import { createLogDestination, MAX_WAITING_LOG_BYTES } from "./log-destination.ts";

const LINE_BYTES = 1_000;

test("a log on a full disk is kept within bounds, and written when there is room", async (context) => {
  const disk = await createSmallDisk(4 * MAX_WAITING_LOG_BYTES);
  requireOrSkip(context, disk !== undefined, SMALL_DISK_NEEDED);
  if (!disk) return;
  onTestFinished(() => disk.close());
  const path = join(disk.outside, "log");
  const file = openSync(path, "a");
  onTestFinished(() => closeSync(file));
  const logger = pino({ base: null, timestamp: false }, createLogDestination(file));
  logger.info("before");
  disk.fill();
  const written = readFileSync(path).length;
  const lines = (2 * MAX_WAITING_LOG_BYTES) / LINE_BYTES;
  for (let i = 0; i < lines; i++) logger.info("x".repeat(LINE_BYTES));
  // What was left of the last page.
  expect(readFileSync(path).length - written).toBeLessThanOrEqual(4_096);

  disk.makeRoom();
  for (let i = 0; i < 3; i++) logger.info(`again ${i}`);
  const text = readFileSync(path, "utf8");
  expect(text).toContain("before");
  expect(text).toContain("again 2");
  for (const line of text.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
  expect(text.length).toBeGreaterThan(MAX_WAITING_LOG_BYTES * 0.9);
  expect(text.length).toBeLessThan(MAX_WAITING_LOG_BYTES * 1.1);
});
