import { expect, test } from "vitest";
import { suggest } from "./suggest.ts";

const NAMES = ["look", "login", "logout", "live", "say", "shout", "walk"];

test("beginnings and words a few letters away are suggested, the nearest first", () => {
  expect(suggest("loook", NAMES)).toEqual(["look"]);
  expect(suggest("wlak", NAMES)).toEqual(["walk"]);
  expect(suggest("lo", NAMES)).toEqual(["look", "login", "logout"]);
  expect(suggest("SHOUTT", NAMES)).toEqual(["shout"]);
});

test("what is far from everything suggests nothing, and never more than three are", () => {
  expect(suggest("xyzzy", NAMES)).toEqual([]);
  expect(suggest("l", NAMES)).toHaveLength(3);
});
