import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { describe, judge, readBaseline } from "./baseline.ts";
import { PIECE_NAMES, PIECES, ratioOfLeast } from "./pieces.ts";
import { createPlainColumns } from "./plain-columns.ts";

const baseline = await readBaseline();

test("the committed baseline has every piece", () => {
  expect(Object.keys(baseline).toSorted()).toEqual(PIECE_NAMES.toSorted());
});

test.each(PIECE_NAMES)("%s may grow by its margin and no further", (piece) => {
  const limit = baseline[piece] * (1 + PIECES[piece].margin);
  const verdictOf = (ratio: number) => judge({ [piece]: ratio }, baseline)[0]?.verdict;
  expect(verdictOf(baseline[piece])).toBe("as before");
  expect(verdictOf(limit)).toBe("as before");
  expect(verdictOf(limit * 1.001)).toBe("too dear");
  expect(verdictOf((baseline[piece] / (1 + PIECES[piece].margin)) * 0.999)).toBe("cheaper");
  expect(verdictOf(Number.NaN)).toBe("too dear");
});

test("what is too dear is named with its figures, and with what is to be done", () => {
  const [judgement] = judge({ move: baseline.move * 2 }, baseline);
  if (!judgement) throw new Error("nothing was judged");
  const text = describe(judgement);
  for (const part of [
    "too dear",
    "move",
    `${(baseline.move * 2).toFixed(2)} ×`,
    `baseline ${baseline.move.toFixed(2)} ×`,
    `limit ${judgement.limit.toFixed(2)} ×`,
    PIECES.move.what,
    "--update-baseline",
  ]) {
    expect(text).toContain(part);
  }
});

test("of several rounds the least counts, on both sides", () => {
  expect(ratioOfLeast([9, 6, 30], [5, 3, 4])).toBe(2);
});

test("plain columns are varints of ids and of places from the origin", () => {
  const xs = Int32Array.from([100, -7000, 100_000]);
  const ys = Int32Array.from([5, 5, 4]);
  const bytes = createPlainColumns(3).write([1, 2], xs, ys, 0);
  const reader = new BinaryReader(bytes);
  expect([reader.uint32(), reader.uint32()]).toEqual([1, 2]);
  expect([reader.sint32(), reader.sint32()]).toEqual([-7100, 99_900]);
  expect([reader.sint32(), reader.sint32()]).toEqual([0, -1]);
  expect(reader.pos).toBe(bytes.length);
});
