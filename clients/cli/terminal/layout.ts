/** The size of an output that does not tell one, in columns and rows. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** The size of an output: of the terminal that it is, or a common one. */
export function sizeOf({ columns, rows }: { readonly columns?: number; readonly rows?: number }): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
}

/** The smallest terminal that has room for the live map. */
export const MIN_COLUMNS = 30;
export const MIN_ROWS = 10;

/** From so many columns on the legend stands beside the map, else in a row below it. */
const LEGEND_BESIDE_FROM = 72;
const LEGEND_COLUMNS = 22;
/** From so many rows on a rule parts the map from the messages. */
const RULE_FROM = 20;
const MIN_MESSAGE_ROWS = 3;
const MAX_MESSAGE_ROWS = 10;

/** Where what stands on the live screen. All rows together are as many as the terminal has. */
export interface Layout {
  readonly columns: number;
  readonly mapColumns: number;
  readonly mapRows: number;
  /** 0: the legend is below the map. */
  readonly legendColumns: number;
  readonly legendRows: number;
  readonly ruleRows: number;
  readonly messageRows: number;
}

/** The layout for a terminal; undefined when that is smaller than {@link MIN_COLUMNS} × {@link MIN_ROWS}. */
export function layoutFor(columns: number, rows: number): Layout | undefined {
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) return undefined;
  const isBeside = columns >= LEGEND_BESIDE_FROM;
  const legendColumns = isBeside ? LEGEND_COLUMNS : 0;
  const legendRows = isBeside ? 0 : 1;
  const ruleRows = rows >= RULE_FROM ? 1 : 0;
  const wanted = Math.floor(rows / 4);
  const messageRows = Math.max(MIN_MESSAGE_ROWS, Math.min(MAX_MESSAGE_ROWS, wanted));
  // One row each for the status at the top and for the keys at the bottom.
  const mapRows = rows - 2 - legendRows - ruleRows - messageRows;
  const mapColumns = columns - legendColumns;
  return { columns, mapColumns, mapRows, legendColumns, legendRows, ruleRows, messageRows };
}
