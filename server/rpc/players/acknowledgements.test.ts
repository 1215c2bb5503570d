import { expect, test } from "vitest";
import { createAcknowledgements, MAX_WAITING_MOVES } from "./acknowledgements.ts";

test("a Move is acknowledged with the first state that shows it, and not before", () => {
  const moves = createAcknowledgements();
  expect(moves.shownAt(100)).toBe(0);
  moves.note(1, 11);
  moves.note(2, 11);
  moves.note(3, 12);
  expect([10, 11, 11, 12, 13].map(moves.shownAt)).toEqual([0, 2, 2, 3, 3]);
});

test("in another zone everything before counts, and ticks begin anew", () => {
  const moves = createAcknowledgements();
  moves.note(1, 500);
  moves.note(2, 501);
  moves.settle();
  expect(moves.shownAt(0)).toBe(2);
  moves.note(3, 4);
  expect([moves.shownAt(3), moves.shownAt(4)]).toEqual([2, 3]);
  moves.settle();
  expect(moves.shownAt(0)).toBe(3);
});

test("Moves that no stream asks about are bounded, and none is acknowledged too early", () => {
  const moves = createAcknowledgements();
  for (let i = 1; i <= MAX_WAITING_MOVES + 3; i++) moves.note(i, i);
  expect(moves.shownAt(MAX_WAITING_MOVES - 1)).toBe(MAX_WAITING_MOVES - 1);
  expect(moves.shownAt(MAX_WAITING_MOVES + 2)).toBe(MAX_WAITING_MOVES - 1);
  expect(moves.shownAt(MAX_WAITING_MOVES + 3)).toBe(MAX_WAITING_MOVES + 3);
});
