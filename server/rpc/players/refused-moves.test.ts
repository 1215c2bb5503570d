import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createRefusedMoves, MAX_REFUSED_MOVES } from "./refused-moves.ts";

const move = (number: number) => Uint8Array.of(number);

function numbers(list: readonly Uint8Array[]): number[] {
  return list.map(([number = -1]) => number);
}

test("they wait in order until they are sent", () => {
  const refused = createRefusedMoves();
  refused.put(move(1));
  refused.put(move(2));
  expect(numbers(refused.waiting)).toEqual([1, 2]);
  // A message that was not written after all.
  expect(numbers(refused.waiting)).toEqual([1, 2]);
  refused.sent(1);
  expect(refused.waiting).toEqual([]);
});

test("a reader that has lost messages is told again", () => {
  const refused = createRefusedMoves();
  for (const number of [1, 2, 3]) {
    refused.put(move(number));
    refused.sent(number);
  }
  refused.put(move(4));
  refused.takeBack(1);
  expect(numbers(refused.waiting)).toEqual([2, 3, 4]);
  refused.sent(2);
  refused.takeBack(2);
  expect(refused.waiting).toEqual([]);
  refused.forgetSent();
  refused.takeBack(0);
  expect(refused.waiting).toEqual([]);
});

test("beyond the bound the oldest are dropped, and the protocol says so", () => {
  const refused = createRefusedMoves();
  for (let number = 0; number < MAX_REFUSED_MOVES + 3; number++) refused.put(move(number));
  expect(refused.waiting).toHaveLength(MAX_REFUSED_MOVES);
  expect(numbers(refused.waiting)[0]).toBe(3);
  refused.sent(1);
  refused.put(move(200));
  refused.takeBack(0);
  expect(refused.waiting).toHaveLength(MAX_REFUSED_MOVES);
  expect(numbers(refused.waiting).slice(-2)).toEqual([MAX_REFUSED_MOVES + 2, 200]);
  const proto = readFileSync("proto/realmwire/v1/world_service.proto", "utf8");
  expect(proto).toContain(`told of the last ${MAX_REFUSED_MOVES}.`);
});
