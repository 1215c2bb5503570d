import type { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Cell, SeenCell, ViewerClass } from "./components.ts";
import { VIEWER_CLASSES, VIEWER_NEAR, VIEWER_OWNER } from "./components.ts";
import { createGrid } from "./grid.ts";
import type { Grid } from "./grid.ts";

/** Units of the wire in a tile. */
export const UNITS_PER_TILE = 256;
const INITIAL_CAPACITY = 64;

/**
 * Everything that viewers look at, as a structure of arrays indexed by slot. A zone's simulation writes
 * one; a mirror of a zone on another node is one too, so that interest and writing are the same code.
 * A class, because its fields are read hundreds of times a tick and viewer.
 */
export class EntityTable<C extends SeenCell = Cell> {
  readonly grid: Grid;
  /** Ids by slot; 0: the slot is free. */
  ids = new Uint32Array(INITIAL_CAPACITY);
  /** Positions, in tiles. */
  xs = new Float64Array(INITIAL_CAPACITY);
  ys = new Float64Array(INITIAL_CAPACITY);
  /** Velocities, in tiles a second. */
  vxs = new Float64Array(INITIAL_CAPACITY);
  vys = new Float64Array(INITIAL_CAPACITY);
  /** Ticks of the last change of position, velocity and, for each, any component. */
  movedTicks = new Uint32Array(INITIAL_CAPACITY);
  turnedTicks = new Uint32Array(INITIAL_CAPACITY);
  changedTicks = new Uint32Array(INITIAL_CAPACITY);
  /** Ticks of the last change of owner: who sees what of the components is another question since. */
  ownedTicks = new Uint32Array(INITIAL_CAPACITY);
  readonly names: string[] = [];
  readonly kinds: EntityKind[] = [];
  readonly visuals: string[] = [];
  readonly owners: string[] = [];
  readonly cells: C[][] = [];
  /** One more than the highest slot that was ever used. */
  limit = 0;
  /** Entities that are there. */
  count = 0;
  readonly #free: number[] = [];
  readonly #slots = new Map<number, number>();

  constructor(width: number, height: number) {
    this.grid = createGrid(width, height);
  }

  /** The slot of an entity; undefined when it is not there. */
  slotOf(id: number): number | undefined {
    return this.#slots.get(id);
  }

  /** Adds an entity without components and returns its slot. */
  add(
    entity: { id: number; name: string; kind: EntityKind; x: number; y: number },
    tick: number,
  ): number {
    const slot = this.#free.pop() ?? this.limit++;
    if (slot >= this.ids.length) this.#grow();
    this.ids[slot] = entity.id;
    this.xs[slot] = entity.x;
    this.ys[slot] = entity.y;
    this.vxs[slot] = 0;
    this.vys[slot] = 0;
    this.movedTicks[slot] = tick;
    this.turnedTicks[slot] = tick;
    this.changedTicks[slot] = tick;
    this.ownedTicks[slot] = tick;
    this.names[slot] = entity.name;
    this.kinds[slot] = entity.kind;
    this.visuals[slot] = "";
    this.owners[slot] = "";
    this.cells[slot] = [];
    this.#slots.set(entity.id, slot);
    this.grid.place(slot, entity.x, entity.y);
    this.count++;
    return slot;
  }

  /** Removes the entity in a slot. */
  remove(slot: number): void {
    this.#slots.delete(this.ids[slot] as number);
    this.ids[slot] = 0;
    this.cells[slot] = [];
    this.grid.remove(slot);
    this.#free.push(slot);
    this.count--;
  }

  /** Puts an entity somewhere. */
  place(slot: number, x: number, y: number, tick: number): void {
    if (this.xs[slot] === x && this.ys[slot] === y) return;
    this.xs[slot] = x;
    this.ys[slot] = y;
    this.movedTicks[slot] = tick;
    this.grid.place(slot, x, y);
  }

  /** Gives an entity a velocity. */
  turn(slot: number, vx: number, vy: number, tick: number): void {
    if (this.vxs[slot] === vx && this.vys[slot] === vy) return;
    this.vxs[slot] = vx;
    this.vys[slot] = vy;
    this.turnedTicks[slot] = tick;
  }

  /** Gives an entity an owner; empty: none. */
  own(slot: number, owner: string, tick: number): void {
    if (this.owners[slot] === owner) return;
    this.owners[slot] = owner;
    this.ownedTicks[slot] = tick;
  }

  /** The class of viewers that a character belongs to for an entity. There are no parties yet. */
  viewerClass(slot: number, character: string): ViewerClass {
    return character !== "" && this.owners[slot] === character ? VIEWER_OWNER : VIEWER_NEAR;
  }

  /**
   * Takes over from a table with the same entities when each of them last changed, and what is encoded
   * already, so that viewers who change tables are not sent again what they have.
   */
  adoptTicks(this: EntityTable, from: EntityTable): void {
    for (let slot = 0; slot < this.limit; slot++) {
      const before = from.slotOf(this.ids[slot] as number);
      if (before === undefined) continue;
      this.movedTicks[slot] = from.movedTicks[before] as number;
      this.turnedTicks[slot] = from.turnedTicks[before] as number;
      this.changedTicks[slot] = from.changedTicks[before] as number;
      this.ownedTicks[slot] = from.ownedTicks[before] as number;
      const cells = from.cells[before] ?? [];
      for (const cell of this.cells[slot] ?? []) {
        const same = cells.find(({ type }) => type === cell.type);
        if (!same) continue;
        for (const viewer of VIEWER_CLASSES) {
          cell.changedTicks[viewer] = same.changedTicks[viewer];
          cell.encoded[viewer] = same.encoded[viewer];
        }
      }
    }
  }

  #grow(): void {
    const size = this.ids.length * 2;
    const uint = (from: Uint32Array) => {
      const to = new Uint32Array(size);
      to.set(from);
      return to;
    };
    const real = (from: Float64Array) => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.ids = uint(this.ids);
    this.movedTicks = uint(this.movedTicks);
    this.turnedTicks = uint(this.turnedTicks);
    this.changedTicks = uint(this.changedTicks);
    this.ownedTicks = uint(this.ownedTicks);
    this.xs = real(this.xs);
    this.ys = real(this.ys);
    this.vxs = real(this.vxs);
    this.vys = real(this.vys);
  }
}
