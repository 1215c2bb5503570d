/** Edge of a cell of the grid, in tiles. */
export const CELL_TILES = 8;

/**
 * A uniform grid over a map: which slots are in which cell, as linked lists in typed arrays.
 * Everything is constant time but the query, which looks at the cells that the square around a circle touches.
 */
export interface Grid {
  /** Puts a slot where it is now; moves it when it was elsewhere. */
  place(slot: number, x: number, y: number): void;
  remove(slot: number): void;
  /** What is in the cells around a circle: all inside the circle, and some outside. It holds until the next query. */
  around(x: number, y: number, radius: number): Found;
}

/** The first `count` of the slots. */
export interface Found {
  readonly slots: Int32Array;
  readonly count: number;
}

/** A grid for a map of this size in tiles. Places outside count to the nearest cell. */
export function createGrid(width: number, height: number): Grid {
  const columns = Math.max(1, Math.ceil(width / CELL_TILES));
  const rows = Math.max(1, Math.ceil(height / CELL_TILES));
  const heads = new Int32Array(columns * rows).fill(-1);
  let cells = new Int32Array(64).fill(-1);
  let nexts = new Int32Array(64).fill(-1);
  let previous = new Int32Array(64).fill(-1);

  const column = (x: number) => Math.min(columns - 1, Math.max(0, Math.floor(x / CELL_TILES)));
  const row = (y: number) => Math.min(rows - 1, Math.max(0, Math.floor(y / CELL_TILES)));

  function reserve(slot: number): void {
    if (slot < cells.length) return;
    const size = Math.max(slot + 1, cells.length * 2);
    cells = grow(cells, size);
    nexts = grow(nexts, size);
    previous = grow(previous, size);
  }

  function remove(slot: number): void {
    const cell = cells[slot] ?? -1;
    if (cell < 0) return;
    const next = nexts[slot] as number;
    const before = previous[slot] as number;
    if (before >= 0) nexts[before] = next;
    else heads[cell] = next;
    if (next >= 0) previous[next] = before;
    cells[slot] = -1;
  }

  const found = { slots: new Int32Array(64), count: 0 };

  return {
    place(slot, x, y) {
      reserve(slot);
      const cell = row(y) * columns + column(x);
      if (cells[slot] === cell) return;
      remove(slot);
      const head = heads[cell] as number;
      nexts[slot] = head;
      previous[slot] = -1;
      if (head >= 0) previous[head] = slot;
      heads[cell] = slot;
      cells[slot] = cell;
    },
    remove,
    around(x, y, radius) {
      const west = column(x - radius);
      const east = column(x + radius);
      const south = row(y + radius);
      let { slots } = found;
      let count = 0;
      for (let r = row(y - radius); r <= south; r++) {
        for (let c = west; c <= east; c++) {
          for (
            let slot = heads[r * columns + c] as number;
            slot >= 0;
            slot = nexts[slot] as number
          ) {
            if (count === slots.length) {
              slots = grow(slots, count * 2);
              found.slots = slots;
            }
            slots[count++] = slot;
          }
        }
      }
      found.count = count;
      return found;
    },
  };
}

function grow(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size).fill(-1);
  to.set(from);
  return to;
}
