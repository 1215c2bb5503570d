import { expect, test } from "vitest";
import { createJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";

function takeBack(journal: Journal, sequence: number): string[] {
  const taken: string[] = [];
  journal.takeBack(sequence, (id, entered) => taken.push(`${entered ? "+" : "-"}${id}`));
  return taken;
}

test("takes back what came after a message, the last first, and only once", () => {
  const journal = createJournal(100);
  journal.note(1, 10, true);
  journal.note(2, 11, true);
  journal.note(2, 10, false);
  journal.note(5, 4_000_000_000, true);
  expect(takeBack(journal, 1)).toEqual(["+4000000000", "-10", "+11"]);
  expect(takeBack(journal, 1)).toEqual([]);
  journal.note(2, 12, true);
  expect(takeBack(journal, 0)).toEqual(["+12", "+10"]);
  expect(journal.lost).toBe(0);
});

test("overwrites the oldest beyond its limit, and says up to which message", () => {
  const journal = createJournal(50);
  for (let i = 1; i <= 120; i++) journal.note(i, i, i % 2 === 0);
  expect(journal.lost).toBe(70);
  const taken = takeBack(journal, 0);
  expect(taken).toHaveLength(50);
  expect([taken[0], taken.at(-1)]).toEqual(["+120", "-71"]);
  journal.clear();
  expect(journal.lost).toBe(0);
  expect(takeBack(journal, 0)).toEqual([]);
});
