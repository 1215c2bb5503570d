import { MIN_COLUMNS, MIN_ROWS, layoutFor } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { cutLine, fitLine, line, span } from "./line.ts";
import type { Line } from "./line.ts";
import { drawMap, legendOf } from "../map/map-drawing.ts";
import type { MapPicture } from "../map/map-drawing.ts";
import type { MessagePane } from "./message-pane.ts";
import type { Style } from "./paint.ts";
import { lettersOf, printable, widthOf } from "./printable.ts";
import type { CursorPlace } from "./screen.ts";

/** What the live screen shows. */
export interface LiveContent {
  readonly status: string;
  readonly picture: MapPicture;
  readonly messages: Pick<MessagePane, "rows">;
  /** The command that is being typed. Undefined: keys walk. */
  readonly typed: { readonly text: string; readonly cursor: number } | undefined;
}

const STATUS: Style = { inverse: true, bold: true };
/** What keys do, the longest first. */
const HINTS = [
  "arrows, wasd, hjkl: walk · Enter: command · t: say · PgUp, PgDn: scroll · Esc: back",
  "arrows, wasd, hjkl: walk · Enter: command · t: say · Esc: back",
  "arrows walk · Enter command · Esc back",
  "Esc: back",
];
const PROMPT = "> ";

/** Composes the rows of the screen, exactly as many as the terminal has. */
export function composeFrame(
  content: LiveContent,
  columns: number,
  rows: number,
): { readonly lines: readonly Line[]; readonly cursor?: CursorPlace } {
  const layout = layoutFor(columns, rows);
  if (layout === undefined) return { lines: tooSmall(columns, rows) };
  const { messageRows, ruleRows } = layout;
  const upper = [
    fitLine([span(` ${content.status}`, STATUS)], columns, STATUS),
    ...drawPicture(content.picture, layout),
    ...Array.from({ length: ruleRows }, () => line("─".repeat(columns), { dim: true })),
    ...content.messages.rows(columns, messageRows),
  ];
  if (content.typed === undefined) {
    return { lines: [...upper, line(hintFor(columns), { dim: true })] };
  }
  const { text, column } = windowOf(content.typed, columns - PROMPT.length);
  return {
    lines: [...upper, [span(PROMPT, { bold: true }), span(text)]],
    cursor: { row: rows - 1, column: PROMPT.length + column },
  };
}

function hintFor(columns: number): string {
  return HINTS.find((hint) => widthOf(hint) <= columns) ?? "";
}

function drawPicture(picture: MapPicture, layout: Layout): Line[] {
  const { columns, mapColumns, mapRows, legendColumns, legendRows } = layout;
  const map = drawMap(picture, mapColumns, mapRows);
  const legend = legendOf(picture.tokens);
  if (legendRows > 0) {
    const inOneRow = legend.flatMap((entry) => [...entry, span("  ")]);
    return [...map, cutLine(inOneRow, columns)];
  }
  const fitting = legend.length <= mapRows ? legend : [...legend.slice(0, mapRows - 1), line("…")];
  return map.map((row, index) => [
    ...row,
    span("  "),
    ...cutLine(fitting[index] ?? [], legendColumns - 2),
  ]);
}

/** The part of a long line around the cursor that fits into so many columns, and the cursor's column in it. */
function windowOf(
  { text, cursor }: { readonly text: string; readonly cursor: number },
  columns: number,
): { text: string; column: number } {
  const before = lettersOf(printable(text.slice(0, cursor)));
  let width = before.reduce((sum, letter) => sum + letter.width, 0);
  let first = 0;
  while (width >= columns) width -= before[first++]?.width ?? width;
  const kept = before.slice(first).map(({ letter }) => letter);
  let shown = kept.join("");
  for (const { letter } of lettersOf(printable(text.slice(cursor)))) {
    if (widthOf(shown + letter) >= columns) break;
    shown += letter;
  }
  return { text: shown, column: width };
}

function tooSmall(columns: number, rows: number): Line[] {
  const texts = [
    `Too small: ${columns} × ${rows}.`,
    `The map: ${MIN_COLUMNS} × ${MIN_ROWS}.`,
    "Esc leads back.",
  ];
  return Array.from({ length: rows }, (_, index) => cutLine(line(texts[index] ?? ""), columns));
}
