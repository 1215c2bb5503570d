import { expect, test } from "vitest";
import { describeDuration, parseDuration } from "./duration.ts";

test.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["1h30m", 5_400_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
  ["0s", 0],
])("%s is %i ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "5", "m", "5 m", "-5m", "1.5h", "5min", "1h 30m", "9999999999s"])(
  'no span of time: "%s"',
  (text) => {
    expect(() => parseDuration(text)).toThrow("no span of time");
  },
);

test.each([
  [0, "0 s"],
  [12_400, "12 s"],
  [60_000, "1 min"],
  [5_400_000, "1 h 30 min"],
  [604_800_000, "7 d"],
  [90_061_000, "1 d 1 h"],
])("%i ms are %s", (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});
