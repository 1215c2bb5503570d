/** Where a cursor stands, both counted from 0. */
export interface CursorPlace {
  readonly row: number;
  readonly column: number;
}

/** A whole screen that is painted row by row. What was on the terminal before comes back at the end. */
export interface Screen {
  /** Takes the terminal over. */
  open(): void;
  /** Shows these rows, harmless texts with their colours, and writes only those that changed. Without a place the cursor is hidden. */
  show(rows: readonly string[], cursor?: CursorPlace): void;
  /** Forgets what is shown, so that the next rows are all written. */
  forget(): void;
  /** Gives the terminal back as it was. Calling it twice does no harm. */
  close(): void;
}

const ESCAPE = "\u001B[";
/** The other screen, without a cursor, and without going on in the next row where a row is too long. */
const OPEN = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}?7l${ESCAPE}2J`;
const CLOSE = `${ESCAPE}0m${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;

/** Creates a screen on a terminal. */
export function createScreen(output: { write(text: string): unknown }): Screen {
  let isOpen = false;
  let shown: readonly string[] = [];
  let shownCursor = "";

  return {
    open() {
      if (isOpen) return;
      isOpen = true;
      shown = [];
      shownCursor = "";
      output.write(OPEN);
    },
    show(rows, cursor) {
      if (!isOpen) return;
      let text = "";
      for (const [index, row] of rows.entries()) {
        // Erased first: behind a row as wide as the terminal that would take its last letter.
        if (row !== shown[index]) text += `${ESCAPE}${index + 1};1H${ESCAPE}K${row}`;
      }
      const place = cursor
        ? `${ESCAPE}${cursor.row + 1};${cursor.column + 1}H${ESCAPE}?25h`
        : `${ESCAPE}?25l`;
      // Writing moved the cursor, so it is put back even if it was there before.
      if (text !== "" || place !== shownCursor) output.write(text + place);
      shown = [...rows];
      shownCursor = place;
    },
    forget() {
      if (isOpen) output.write(`${ESCAPE}2J`);
      shown = [];
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      output.write(CLOSE);
    },
  };
}
