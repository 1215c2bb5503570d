import type { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { type CommonForm, type CommonForms, createCommonForms } from "./baselines.ts";
import type { Cell, SeenCell, ViewerClass } from "./components.ts";
import { VIEWER_CLASSES, VIEWER_NEAR, VIEWER_OWNER } from "./components.ts";
import { createGrid } from "./grid.ts";
import type { Found, Grid } from "./grid.ts";
import { SeenGrid } from "./seen-grid.ts";

/** Units of the wire in a tile, and of velocities in a tile a second. */
export const UNITS_PER_TILE = 256;
/** How far an entity may be, on either axis, from where viewers reckon it to be. */
export const COURSE_TOLERANCE_TILES = 3 / 512;
/** Velocities that differ by no more than this, in tiles a second on either axis, are one course: a walk's last bits are no turn. */
const SAME_COURSE_TILES_PER_S = 2 / UNITS_PER_TILE;
const INITIAL_CAPACITY = 64;
const MAX_MARK = 0xffff_ffff;

/** What of an entity's full form stays the same as long as none of its components changes, serialized: what only it has, and what others may have as well. */
export interface EntityForm {
  readonly own: Uint8Array;
  readonly common: CommonForm;
}

/** From where and when an entity goes on how fast: tiles, and tiles a second in whole units of the wire. */
export interface Course {
  readonly x: number;
  readonly y: number;
  readonly courseTick: number;
  readonly vx: number;
  readonly vy: number;
}

/**
 * Everything that viewers look at, as a structure of arrays indexed by slot. A zone's simulation writes
 * one; a mirror of a zone on another node is one too, so that interest and writing are the same code.
 * A class, because its fields are read hundreds of times a tick and viewer.
 *
 * Viewers are told courses, not places (dead reckoning, as in IEEE 1278.1): where an entity was at a tick and
 * how fast it goes. It is there that they see it, by {@link shownX} and {@link shownY}, until
 * {@link follow} finds that it went another way.
 */
export class EntityTable<C extends SeenCell = Cell> {
  readonly grid: Grid;
  /** Ids by slot; 0: the slot is free. */
  ids = new Uint32Array(INITIAL_CAPACITY);
  /** Where entities are, in tiles. In a mirror: where they are shown. */
  xs = new Float64Array(INITIAL_CAPACITY);
  ys = new Float64Array(INITIAL_CAPACITY);
  /** How fast they are, in tiles a second. Not known in a mirror. */
  vxs = new Float64Array(INITIAL_CAPACITY);
  vys = new Float64Array(INITIAL_CAPACITY);
  /** Courses: places at a tick, in tiles, and velocities from it on, in tiles a second, whole units of the wire. */
  courseXs = new Float64Array(INITIAL_CAPACITY);
  courseYs = new Float64Array(INITIAL_CAPACITY);
  courseVxs = new Float64Array(INITIAL_CAPACITY);
  courseVys = new Float64Array(INITIAL_CAPACITY);
  courseTicks = new Uint32Array(INITIAL_CAPACITY);
  /** Where viewers see entities at the tick that was {@link follow}ed last or, in a mirror, that it has reached. */
  seenXs = new Float64Array(INITIAL_CAPACITY);
  seenYs = new Float64Array(INITIAL_CAPACITY);
  /** A mark that a viewer leaves while it looks around. */
  marks = new Uint32Array(INITIAL_CAPACITY);
  /**
   * Ticks at which a course last began somewhere else than the one before led, and at which it last had another
   * velocity, that from the tick before on; then the last change of any component.
   */
  movedTicks = new Uint32Array(INITIAL_CAPACITY);
  turnedTicks = new Uint32Array(INITIAL_CAPACITY);
  changedTicks = new Uint32Array(INITIAL_CAPACITY);
  /** Ticks of the last change of owner: who sees what of the components is another question since. */
  ownedTicks = new Uint32Array(INITIAL_CAPACITY);
  /** The latest of all these ticks: viewers who were told of it have nothing to look for. */
  newsTicks = new Uint32Array(INITIAL_CAPACITY);
  readonly names: string[] = [];
  readonly kinds: EntityKind[] = [];
  readonly visuals: string[] = [];
  readonly owners: string[] = [];
  readonly cells: C[][] = [];
  /** By class of viewers and slot, made when it is first needed. What it is made of is the writer's business. */
  readonly forms: readonly (EntityForm | undefined)[][] = VIEWER_CLASSES.map(() => []);
  /** Those in {@link forms}. */
  commonForms: CommonForms = createCommonForms();
  /** One more than the highest slot that was ever used. */
  limit = 0;
  /** Entities that are there. */
  count = 0;
  readonly tickRateHz: number;
  readonly #free: number[] = [];
  readonly #slots = new Map<number, number>();
  readonly #seen: SeenGrid;
  /** Whether anybody is seen elsewhere since {@link SeenGrid.sort}. */
  #isSeenStale = true;
  #mark = 0;

  /** A table for a map of this size, in tiles. */
  constructor(map: { readonly width: number; readonly height: number; tickRateHz: number }) {
    this.grid = createGrid(map.width, map.height);
    this.#seen = new SeenGrid(map.width, map.height);
    this.tickRateHz = map.tickRateHz;
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
    this.courseXs[slot] = entity.x;
    this.courseYs[slot] = entity.y;
    this.courseVxs[slot] = 0;
    this.courseVys[slot] = 0;
    this.courseTicks[slot] = tick;
    this.seenXs[slot] = entity.x;
    this.seenYs[slot] = entity.y;
    this.marks[slot] = 0;
    this.movedTicks[slot] = tick;
    this.turnedTicks[slot] = tick;
    this.changedTicks[slot] = tick;
    this.ownedTicks[slot] = tick;
    this.newsTicks[slot] = tick;
    this.names[slot] = entity.name;
    this.kinds[slot] = entity.kind;
    this.visuals[slot] = "";
    this.owners[slot] = "";
    this.cells[slot] = [];
    this.#forgetForms(slot);
    this.#slots.set(entity.id, slot);
    this.grid.place(slot, entity.x, entity.y);
    this.#isSeenStale = true;
    this.count++;
    return slot;
  }

  /** Removes the entity in a slot. */
  remove(slot: number): void {
    this.#slots.delete(this.ids[slot] as number);
    this.ids[slot] = 0;
    this.cells[slot] = [];
    this.grid.remove(slot);
    this.#isSeenStale = true;
    this.#free.push(slot);
    this.count--;
  }

  /** Puts an entity somewhere. Viewers are told when it is {@link follow}ed. */
  place(slot: number, x: number, y: number): void {
    this.xs[slot] = x;
    this.ys[slot] = y;
    this.grid.place(slot, x, y);
  }

  /** Gives an entity a velocity. Viewers are told when it is {@link follow}ed. */
  turn(slot: number, vx: number, vy: number): void {
    this.vxs[slot] = vx;
    this.vys[slot] = vy;
  }

  /** Where viewers see an entity at a tick, in tiles. */
  shownX(slot: number, tick: number): number {
    const ticks = tick - (this.courseTicks[slot] as number);
    return (
      (this.courseXs[slot] as number) + ((this.courseVxs[slot] as number) * ticks) / this.tickRateHz
    );
  }

  shownY(slot: number, tick: number): number {
    const ticks = tick - (this.courseTicks[slot] as number);
    return (
      (this.courseYs[slot] as number) + ((this.courseVys[slot] as number) * ticks) / this.tickRateHz
    );
  }

  /** Notes where viewers see an entity at a tick. */
  show(slot: number, tick: number): void {
    this.seenXs[slot] = this.shownX(slot, tick);
    this.seenYs[slot] = this.shownY(slot, tick);
    this.#isSeenStale = true;
  }

  /** The slots of those who are seen within a radius of a place, in tiles, the rim included. It holds until the next query. */
  seenAround(x: number, y: number, radius: number): Found {
    if (this.#isSeenStale) {
      this.#seen.sort(this);
      this.#isSeenStale = false;
    }
    return this.#seen.around(x, y, radius);
  }

  /** Notes that something of an entity changed at a tick that viewers may have to be told of. */
  noteNews(slot: number, tick: number): void {
    if ((this.newsTicks[slot] as number) < tick) this.newsTicks[slot] = tick;
  }

  /** Notes that a component of an entity changed. */
  noteChange(slot: number, tick: number): void {
    this.changedTicks[slot] = tick;
    this.noteNews(slot, tick);
    this.#forgetForms(slot);
  }

  /** Gives an entity a visual. */
  setVisual(slot: number, visual: string): void {
    if (this.visuals[slot] === visual) return;
    this.visuals[slot] = visual;
    this.#forgetForms(slot);
  }

  #forgetForms(slot: number): void {
    for (const forms of this.forms) forms[slot] = undefined;
  }

  /** Compares where everybody is after a tick with where viewers reckon them to be, and begins new courses where that is not the same. */
  follow(tick: number): void {
    for (let slot = 0; slot < this.limit; slot++) {
      if (this.ids[slot] === 0) continue;
      const vx = this.vxs[slot] as number;
      const vy = this.vys[slot] as number;
      const turns =
        Math.abs(vx - (this.courseVxs[slot] as number)) > SAME_COURSE_TILES_PER_S ||
        Math.abs(vy - (this.courseVys[slot] as number)) > SAME_COURSE_TILES_PER_S;
      if (turns || this.#strays(slot, tick, COURSE_TOLERANCE_TILES)) {
        this.setVelocity(slot, toUnits(vx) / UNITS_PER_TILE, toUnits(vy) / UNITS_PER_TILE, tick);
        if (this.#strays(slot, tick, COURSE_TOLERANCE_TILES / 2)) {
          const x = toUnits(this.xs[slot] as number) / UNITS_PER_TILE;
          const y = toUnits(this.ys[slot] as number) / UNITS_PER_TILE;
          this.setPlace(slot, x, y, tick);
        }
      }
      this.show(slot, tick);
    }
  }

  /** Whether an entity is further than a tolerance from where viewers see it. */
  #strays(slot: number, tick: number, tolerance: number): boolean {
    return (
      Math.abs((this.xs[slot] as number) - this.shownX(slot, tick)) > tolerance ||
      Math.abs((this.ys[slot] as number) - this.shownY(slot, tick)) > tolerance
    );
  }

  /** Begins a course where the one before led at the tick before, with another velocity. */
  setVelocity(slot: number, vx: number, vy: number, tick: number): void {
    if (this.courseVxs[slot] === vx && this.courseVys[slot] === vy) return;
    const x = this.shownX(slot, tick - 1);
    const y = this.shownY(slot, tick - 1);
    this.courseXs[slot] = x;
    this.courseYs[slot] = y;
    this.courseVxs[slot] = vx;
    this.courseVys[slot] = vy;
    this.courseTicks[slot] = tick - 1;
    this.turnedTicks[slot] = tick;
    this.noteNews(slot, tick);
  }

  /** Begins a course somewhere else, with the velocity of the one before. */
  setPlace(slot: number, x: number, y: number, tick: number): void {
    this.courseXs[slot] = x;
    this.courseYs[slot] = y;
    this.courseTicks[slot] = tick;
    this.movedTicks[slot] = tick;
    this.noteNews(slot, tick);
  }

  /** Goes on from a course that is known in full. Nothing has changed where it is the one that viewers reckon by. */
  setCourse(slot: number, course: Course, tick: number): void {
    const { x, y, courseTick, vx, vy } = course;
    const turns = this.courseVxs[slot] !== vx || this.courseVys[slot] !== vy;
    if (turns) this.setVelocity(slot, vx, vy, tick);
    const isSame =
      this.courseXs[slot] === x &&
      this.courseYs[slot] === y &&
      this.courseTicks[slot] === courseTick;
    if (isSame) return;
    this.setPlace(slot, x, y, tick);
    this.courseTicks[slot] = courseTick;
  }

  /** A number that {@link marks} holds nowhere. */
  nextMark(): number {
    if (this.#mark === MAX_MARK) {
      this.marks.fill(0);
      this.#mark = 0;
    }
    return ++this.#mark;
  }

  /** Gives an entity an owner; empty: none. */
  own(slot: number, owner: string, tick: number): void {
    if (this.owners[slot] === owner) return;
    this.owners[slot] = owner;
    this.ownedTicks[slot] = tick;
    this.noteNews(slot, tick);
  }

  /** The class of viewers that a character belongs to for an entity. There are no parties yet. */
  viewerClass(slot: number, character: string): ViewerClass {
    return character !== "" && this.owners[slot] === character ? VIEWER_OWNER : VIEWER_NEAR;
  }

  /**
   * Takes over from a table with the same entities their courses, when each of them last changed, and the forms that are
   * encoded already, so that viewers who change tables are not sent again what they have.
   */
  adoptHistory(this: EntityTable, from: EntityTable): void {
    this.commonForms = from.commonForms;
    this.#isSeenStale = true;
    for (let slot = 0; slot < this.limit; slot++) {
      const before = from.slotOf(this.ids[slot] as number);
      if (before === undefined) continue;
      this.courseXs[slot] = from.courseXs[before] as number;
      this.courseYs[slot] = from.courseYs[before] as number;
      this.courseVxs[slot] = from.courseVxs[before] as number;
      this.courseVys[slot] = from.courseVys[before] as number;
      this.courseTicks[slot] = from.courseTicks[before] as number;
      this.movedTicks[slot] = from.movedTicks[before] as number;
      this.turnedTicks[slot] = from.turnedTicks[before] as number;
      this.changedTicks[slot] = from.changedTicks[before] as number;
      this.ownedTicks[slot] = from.ownedTicks[before] as number;
      this.newsTicks[slot] = from.newsTicks[before] as number;
      this.seenXs[slot] = from.seenXs[before] as number;
      this.seenYs[slot] = from.seenYs[before] as number;
      for (const [viewer, forms] of this.forms.entries()) {
        forms[slot] = from.forms[viewer]?.[before];
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
    this.courseTicks = uint(this.courseTicks);
    this.marks = uint(this.marks);
    this.movedTicks = uint(this.movedTicks);
    this.turnedTicks = uint(this.turnedTicks);
    this.changedTicks = uint(this.changedTicks);
    this.ownedTicks = uint(this.ownedTicks);
    this.newsTicks = uint(this.newsTicks);
    this.xs = real(this.xs);
    this.ys = real(this.ys);
    this.vxs = real(this.vxs);
    this.vys = real(this.vys);
    this.seenXs = real(this.seenXs);
    this.seenYs = real(this.seenYs);
    this.courseXs = real(this.courseXs);
    this.courseYs = real(this.courseYs);
    this.courseVxs = real(this.courseVxs);
    this.courseVys = real(this.courseVys);
  }
}

/** A number of tiles in units of the wire. */
export function toUnits(tiles: number): number {
  return Math.round(tiles * UNITS_PER_TILE);
}
