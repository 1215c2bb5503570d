import { wrapLine } from "./line.ts";
import type { Line } from "./line.ts";
import { TIME_COLUMNS } from "../language/messages.ts";

/** Lines that the pane keeps; the oldest are dropped. */
const MAX_LINES = 500;

/** The messages below the live map, the newest at the bottom. */
export interface MessagePane {
  add(lines: readonly Line[]): void;
  /** Scrolls back by so many rows, or forth by a negative number, as far as there is something. */
  scroll(rows: number): void;
  /** Exactly so many rows of at most so many columns. */
  rows(columns: number, rows: number): Line[];
  /** Lines that were added so far, also those that are not kept any more. */
  readonly count: number;
  /** What was added since there were so many, as far as it is kept. */
  since(count: number): readonly Line[];
}

/** Creates an empty pane. */
export function createMessagePane(): MessagePane {
  const lines: Line[] = [];
  let count = 0;
  let back = 0;
  return {
    get count() {
      return count;
    },
    since: (before) => lines.slice(Math.max(0, lines.length - (count - before))),
    add(more) {
      lines.push(...more);
      count += more.length;
      lines.splice(0, Math.max(0, lines.length - MAX_LINES));
      back = 0;
    },
    scroll(rows) {
      back = Math.max(0, back + rows);
    },
    rows(columns, rows) {
      const wrapped = lines.flatMap((line) => wrapLine(line, columns, TIME_COLUMNS));
      back = Math.min(back, Math.max(0, wrapped.length - rows));
      const end = wrapped.length - back;
      const visible = wrapped.slice(Math.max(0, end - rows), end);
      return [...visible, ...Array.from({ length: rows - visible.length }, (): Line => [])];
    },
  };
}
