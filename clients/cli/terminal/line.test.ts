import fc from "fast-check";
import { expect, test } from "vitest";
import { joinColumns } from "./columns.ts";
import { cutLine, fitLine, line, lineWidth, renderLine, span, wrapLine } from "./line.ts";
import type { Line } from "./line.ts";
import { createPaint } from "./paint.ts";

const plain = createPaint("none");
const textOf = (one: Line): string => renderLine(one, plain);

test("a line is broken at spaces, and goes on with its indent", () => {
  const lines = wrapLine([span("12:00:00 "), span("one two three four")], 20, 9);
  expect(lines.map((one) => textOf(one).trimEnd())).toEqual([
    "12:00:00 one two",
    "         three four",
  ]);
});

test("a word longer than a line is broken where it must be", () => {
  expect(wrapLine(line("abcdefgh"), 3).map(textOf)).toEqual(["abc", "def", "gh"]);
});

test("no broken line is wider than asked for, and no letter is lost, whatever the text", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", " ", "é", "日", "\u001B", "👩‍👩‍👧", "z") });
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 2, max: 30 }),
      fc.integer({ min: 0, max: 40 }),
      (...args) => {
        const [text, columns, indent] = args;
        const lines = wrapLine(line(text), columns, indent);
        for (const one of lines) expect(lineWidth(one)).toBeLessThanOrEqual(columns);
        const letters = lines.map(textOf).join("").replaceAll(" ", "");
        expect(letters).toBe(textOf(line(text)).replaceAll(" ", ""));
      },
    ),
  );
});

test("a line is cut with a sign that it goes on, and fitted to exact columns", () => {
  expect(textOf(cutLine(line("hello world"), 6))).toBe("hello…");
  expect(textOf(cutLine(line("hello"), 5))).toBe("hello");
  expect(textOf(fitLine(line("日本語"), 4))).toBe("日… ");
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (text, columns) => {
      expect(lineWidth(fitLine(line(text), columns))).toBe(columns);
    }),
  );
});

test("short lines stand side by side, as many as fit", () => {
  const entries = ["one", "two", "three"].map((text) => line(text));
  expect(joinColumns(entries, 14).map((row) => textOf(row).trimEnd())).toEqual([
    "one    two",
    "three",
  ]);
  expect(joinColumns(entries, 4)).toHaveLength(3);
  expect(joinColumns([], 80)).toEqual([]);
});
