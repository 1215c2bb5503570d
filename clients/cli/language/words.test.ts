import { expect, test } from "vitest";
import { behindFirst, readArguments, readTyped } from "./words.ts";

test("words are parted by spaces, and quotes hold them together", () => {
  expect(readTyped(`  put "a b"  'c d' e"f`).words).toEqual(["put", "a b", "c d", `e"f`]);
  expect(readTyped(String.raw`"say \"hi\""`).words).toEqual([`say "hi"`]);
  expect(readTyped(`text="a b" it's fine=' c' x="`).words).toEqual([
    "text=a b",
    "it's",
    "fine= c",
    "x=",
  ]);
  expect(readTyped("   ").words).toEqual([]);
  expect(readTyped(`"never closed`).words).toEqual(["never closed"]);
});

test("the rest of a line is as it was typed", () => {
  const input = readTyped(`tell bob it's  "quoted"  twice `);
  expect(input.rest(2)).toBe(`it's  "quoted"  twice`);
  expect(input.rest(9)).toBe("");
  expect(behindFirst(input).rest(1)).toBe(`it's  "quoted"  twice`);
  expect(behindFirst(input).words[0]).toBe("bob");
  expect(readTyped(`say "all of it"`).rest(1)).toBe("all of it");
});

test("words of a shell are joined by one space each", () => {
  const input = readArguments(["say", "hello  there", "you"]);
  expect(behindFirst(input).rest(0)).toBe("hello  there you");
});
