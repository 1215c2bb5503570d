/** Edge of a cell of the grid, in tiles. */
export const CELL_TILES = 8;
const INITIAL_CAPACITY = 64;

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
  return new CellGrid(width, height);
}

// A class: a checkpoint makes another one, and compiled code that has become used to the functions of one closure is thrown away by that.
class CellGrid implements Grid {
  private readonly columns: number;
  private readonly rows: number;
  /** The first slot of each cell; -1: none. */
  private readonly heads: Int32Array<ArrayBuffer>;
  /** By slot: its cell, the next slot in it and the one before. */
  private cells = new Int32Array(INITIAL_CAPACITY).fill(-1);
  private nexts = new Int32Array(INITIAL_CAPACITY).fill(-1);
  private previous = new Int32Array(INITIAL_CAPACITY).fill(-1);
  private readonly found = { slots: new Int32Array(INITIAL_CAPACITY), count: 0 };

  constructor(width: number, height: number) {
    this.columns = Math.max(1, Math.ceil(width / CELL_TILES));
    this.rows = Math.max(1, Math.ceil(height / CELL_TILES));
    this.heads = new Int32Array(this.columns * this.rows).fill(-1);
  }

  place(slot: number, x: number, y: number): void {
    this.reserve(slot);
    const cell = cellAt(y, this.rows) * this.columns + cellAt(x, this.columns);
    if (this.cells[slot] === cell) return;
    this.remove(slot);
    const head = this.heads[cell] as number;
    this.nexts[slot] = head;
    this.previous[slot] = -1;
    if (head >= 0) this.previous[head] = slot;
    this.heads[cell] = slot;
    this.cells[slot] = cell;
  }

  remove(slot: number): void {
    const cell = this.cells[slot] ?? -1;
    if (cell < 0) return;
    const next = this.nexts[slot] as number;
    const before = this.previous[slot] as number;
    if (before >= 0) this.nexts[before] = next;
    else this.heads[cell] = next;
    if (next >= 0) this.previous[next] = before;
    this.cells[slot] = -1;
  }

  around(x: number, y: number, radius: number): Found {
    const { found, heads, nexts, columns } = this;
    const west = cellAt(x - radius, this.columns);
    const east = cellAt(x + radius, this.columns);
    const south = cellAt(y + radius, this.rows);
    let { slots } = found;
    let count = 0;
    for (let row = cellAt(y - radius, this.rows); row <= south; row++) {
      for (let column = west; column <= east; column++) {
        let slot = heads[row * columns + column] as number;
        for (; slot >= 0; slot = nexts[slot] as number) {
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
  }

  private reserve(slot: number): void {
    if (slot < this.cells.length) return;
    const size = Math.max(slot + 1, this.cells.length * 2);
    this.cells = grow(this.cells, size);
    this.nexts = grow(this.nexts, size);
    this.previous = grow(this.previous, size);
  }
}

function grow(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(size).fill(-1);
  to.set(from);
  return to;
}

/** In which of so many cells side by side a coordinate in tiles is: before the first one counts as there, and behind the last one too. */
export function cellAt(tiles: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(tiles / CELL_TILES)));
}
