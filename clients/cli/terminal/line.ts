import { lettersOf, printable, widthOf } from "./printable.ts";
import type { Paint, Style } from "./paint.ts";

/** Columns of the widest letters. */
const WIDEST = 2;

/** A piece of a line in one style. The text may hold anything: it is made harmless when it is printed. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** A line to be printed. */
export type Line = readonly Span[];

/** A line of one piece. */
export function line(text: string, style?: Style): Line {
  return [span(text, style)];
}

/** A piece of a line. */
export function span(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

/** What goes to the terminal: harmless, and in its colours. */
export function renderLine(spans: Line, paint: Paint): string {
  return spans.map(({ text, style }) => paint(printable(text), style)).join("");
}

/** Columns of a line. */
export function lineWidth(spans: Line): number {
  return spans.reduce((sum, { text }) => sum + widthOf(printable(text)), 0);
}

/** The line in lines of at most so many columns, broken at spaces where that is possible. Further lines begin with the indent. */
export function wrapLine(spans: Line, columns: number, indent = 0): Line[] {
  const width = Math.max(WIDEST, columns);
  const lead = Math.min(indent, Math.floor(width / 2), width - WIDEST);
  const lines: Span[][] = [];
  let current: Span[] = [];
  let used = 0;
  const breakLine = (): void => {
    lines.push(current);
    current = lead > 0 ? [{ text: " ".repeat(lead) }] : [];
    used = lead;
  };
  for (const { text, style } of spans) {
    for (const word of printable(text).split(/(?<= )(?=[^ ])/u)) {
      const bare = widthOf(word.trimEnd());
      if (used > lead && used + bare > width) breakLine();
      let piece = "";
      for (const { letter, width: columnsOfLetter } of lettersOf(word)) {
        if (used + columnsOfLetter > width) {
          if (letter === " ") continue;
          current.push(span(piece, style));
          piece = "";
          breakLine();
        }
        piece += letter;
        used += columnsOfLetter;
      }
      if (piece !== "") current.push(span(piece, style));
    }
  }
  return [...lines, current];
}

/** The line cut at so many columns, with a sign that it goes on. */
export function cutLine(spans: Line, columns: number): Line {
  if (lineWidth(spans) <= columns) return spans;
  const cut: Span[] = [];
  let left = columns - 1;
  for (const { text, style } of spans) {
    let piece = "";
    for (const { letter, width } of lettersOf(printable(text))) {
      if (width > left) {
        return columns < 1 ? [] : [...cut, span(piece, style), span("…")];
      }
      piece += letter;
      left -= width;
    }
    cut.push(span(piece, style));
  }
  return cut;
}

/** The line cut or filled up with spaces to exactly so many columns. */
export function fitLine(spans: Line, columns: number, style?: Style): Line {
  const cut = cutLine(spans, columns);
  return [...cut, span(" ".repeat(Math.max(0, columns - lineWidth(cut))), style)];
}
