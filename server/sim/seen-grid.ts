import { CELL_TILES, cellAt } from "./grid.ts";
import type { Found } from "./grid.ts";

const INITIAL_CAPACITY = 64;

/** Places by slot, in tiles; an id of 0: nobody is there. */
export interface SeenPlaces {
  readonly ids: Uint32Array;
  readonly seenXs: Float64Array;
  readonly seenYs: Float64Array;
  /** One more than the highest slot. */
  readonly limit: number;
}

/**
 * Where everybody is seen, sorted by the cells of a uniform grid, row by row (a counting sort): who is around a place stands in one stretch of
 * memory for each row of cells, where a linked list would lead all over it. Made once a tick, for all who look.
 */
// A class, as the grid is.
export class SeenGrid {
  private readonly columns: number;
  private readonly rows: number;
  /** Where each cell ends, behind a 0: so where each begins, too. */
  private readonly ends: Int32Array<ArrayBuffer>;
  /** By slot: its cell. */
  private cells = new Int32Array(INITIAL_CAPACITY);
  /** In the order of the cells. */
  private slots = new Int32Array(INITIAL_CAPACITY);
  private xs = new Float64Array(INITIAL_CAPACITY);
  private ys = new Float64Array(INITIAL_CAPACITY);
  private readonly found = { slots: new Int32Array(INITIAL_CAPACITY), count: 0 };

  /** For a map of this size in tiles. Places outside count to the nearest cell. */
  constructor(width: number, height: number) {
    this.columns = Math.max(1, Math.ceil(width / CELL_TILES));
    this.rows = Math.max(1, Math.ceil(height / CELL_TILES));
    this.ends = new Int32Array(this.columns * this.rows + 1);
  }

  /** Takes the places over as they are now. */
  sort({ ids, seenXs, seenYs, limit }: SeenPlaces): void {
    this.reserve(limit);
    const { ends, cells, slots, xs, ys } = this;
    ends.fill(0);
    for (let slot = 0; slot < limit; slot++) {
      if (ids[slot] === 0) continue;
      const cell =
        cellAt(seenYs[slot] as number, this.rows) * this.columns +
        cellAt(seenXs[slot] as number, this.columns);
      cells[slot] = cell;
      (ends[cell + 1] as number)++;
    }
    let begin = 0;
    for (let cell = 1; cell < ends.length; cell++) {
      const count = ends[cell] as number;
      ends[cell] = begin;
      begin += count;
    }
    for (let slot = 0; slot < limit; slot++) {
      if (ids[slot] === 0) continue;
      const at = (ends[(cells[slot] as number) + 1] as number)++;
      slots[at] = slot;
      xs[at] = seenXs[slot] as number;
      ys[at] = seenYs[slot] as number;
    }
  }

  /** Who is seen in a circle, the rim included. It holds until the next query. */
  around(x: number, y: number, radius: number): Found {
    const { columns, ends, xs, ys, slots, found } = this;
    const west = cellAt(x - radius, this.columns);
    const east = cellAt(x + radius, this.columns);
    const south = cellAt(y + radius, this.rows);
    let count = 0;
    for (let row = cellAt(y - radius, this.rows); row <= south; row++) {
      const end = ends[row * columns + east + 1] as number;
      for (let at = ends[row * columns + west] as number; at < end; at++) {
        const dx = (xs[at] as number) - x;
        const dy = (ys[at] as number) - y;
        if (dx * dx + dy * dy <= radius * radius) found.slots[count++] = slots[at] as number;
      }
    }
    found.count = count;
    return found;
  }

  private reserve(limit: number): void {
    if (limit <= this.slots.length) return;
    const size = Math.max(limit, this.slots.length * 2);
    this.cells = new Int32Array(size);
    this.slots = new Int32Array(size);
    this.found.slots = new Int32Array(size);
    this.xs = new Float64Array(size);
    this.ys = new Float64Array(size);
  }
}
