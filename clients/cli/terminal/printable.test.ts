import fc from "fast-check";
import { expect, test } from "vitest";
import { lettersOf, printable, widthOf } from "./printable.ts";

/** Everything that a terminal would act on, or that changes how its neighbours are shown. */
const ACTS = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|[\u202a-\u202e\u2066-\u2069\u200e\u200f\u00ad\ufeff]/u;

test("[PY-15] whatever a server sends, nothing that a terminal acts on is printed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(ACTS);
    }),
  );
  const attack = "\u001B]0;title\u0007\u001B[2J\u009B31m\u202Ereversed\r\n\u0000\u007F\uD800";
  expect(printable(attack)).not.toMatch(ACTS);
  expect(printable("\u001B[31m\n")).toBe("␛[31m␊");
});

test("letters of every language stay as they are", () => {
  for (const text of ["Grüße", "日本語", "שלום", "مرحبا", "नमस्ते", "👩‍👩‍👧", "é".normalize("NFD")]) {
    expect(printable(text)).toBe(text);
  }
});

test("marks that grow over other lines are cut to four on a letter", () => {
  expect(printable(`e${"\u0301".repeat(100)}x`)).toBe(`e${"\u0301".repeat(4)}x`);
});

test("columns are counted as terminals show them", () => {
  expect(widthOf("ab")).toBe(2);
  expect(widthOf("日本")).toBe(4);
  expect(lettersOf("a👩‍👩‍👧日")).toEqual([
    { letter: "a", width: 1 },
    { letter: "👩‍👩‍👧", width: 2 },
    { letter: "日", width: 2 },
  ]);
});
