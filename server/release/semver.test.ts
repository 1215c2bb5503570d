import { expect, test } from "vitest";
import { compareSemver, isSemver } from "./semver.ts";

test("versions are ordered as semver.org orders them", () => {
  const ordered = [
    "0.9.10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "99999999999999999999.0.0",
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      expect(Math.sign(compareSemver(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
    }
  }
  expect(compareSemver("1.0.0+one", "1.0.0+two")).toBe(0);
});

test.each(["", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "v1.0.0", "1.0.0/..", "1.0.0\n"])(
  "not a version: %j",
  (text) => {
    expect(isSemver(text)).toBe(false);
    expect(() => compareSemver(text, "1.0.0")).toThrow("semantic version");
  },
);
