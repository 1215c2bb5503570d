import { fitLine, lineWidth } from "./line.ts";
import type { Line } from "./line.ts";

/** Columns between two entries. */
const GAP = 2;

/** Puts short lines side by side, as many as fit into so many columns, all equally wide. */
export function joinColumns(entries: readonly Line[], columns: number): Line[] {
  if (entries.length === 0) return [];
  const width = Math.min(columns, Math.max(...entries.map(lineWidth)) + GAP);
  const across = Math.max(1, Math.floor(columns / width));
  const rows: Line[] = [];
  for (let start = 0; start < entries.length; start += across) {
    rows.push(entries.slice(start, start + across).flatMap((entry) => fitLine(entry, width)));
  }
  return rows;
}
