import { expect, test } from "vitest";
import { line, renderLine } from "./line.ts";
import { createMessagePane } from "./message-pane.ts";
import { createPaint } from "./paint.ts";

function texts(pane: ReturnType<typeof createMessagePane>, columns: number, rows: number) {
  return pane.rows(columns, rows).map((row) => renderLine(row, createPaint("none")));
}

const add = (pane: ReturnType<typeof createMessagePane>, from: number, to: number) => {
  for (let i = from; i <= to; i++) pane.add([line(`line ${i}`)]);
};

test("the newest lines are shown, and the older ones by scrolling, until something new comes", () => {
  const pane = createMessagePane();
  expect(texts(pane, 20, 2)).toEqual(["", ""]);
  add(pane, 1, 5);
  expect(texts(pane, 20, 3)).toEqual(["line 3", "line 4", "line 5"]);
  pane.scroll(1);
  expect(texts(pane, 20, 3)).toEqual(["line 2", "line 3", "line 4"]);
  pane.scroll(100);
  expect(texts(pane, 20, 3)).toEqual(["line 1", "line 2", "line 3"]);
  pane.scroll(-100);
  expect(texts(pane, 20, 3)).toEqual(["line 3", "line 4", "line 5"]);
  pane.scroll(2);
  add(pane, 6, 6);
  expect(texts(pane, 20, 1)).toEqual(["line 6"]);
});

test("long lines take several rows", () => {
  const pane = createMessagePane();
  pane.add([line("12:00:00 aaaa bbbb")]);
  expect(texts(pane, 14, 2).map((row) => row.trimEnd())).toEqual(["12:00:00 aaaa", "       bbbb"]);
});

test("500 lines are kept, and what was added since a moment comes back", () => {
  const pane = createMessagePane();
  add(pane, 1, 10);
  const seen = pane.count;
  add(pane, 11, 12);
  expect(pane.since(seen)).toEqual([line("line 11"), line("line 12")]);
  expect(pane.since(pane.count)).toEqual([]);
  add(pane, 13, 600);
  expect(pane.count).toBe(600);
  expect(pane.since(0)).toHaveLength(500);
  expect(pane.since(0)[0]).toEqual(line("line 101"));
  expect(pane.since(598)).toHaveLength(2);
});
