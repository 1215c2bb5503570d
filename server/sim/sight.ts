import type { SeenCell, ViewerClass } from "./components.ts";
import { VIEWER_NEAR } from "./components.ts";
import type { EntityTable } from "./entity-table.ts";
import { hasChange } from "./view-writer.ts";
import type { View } from "./view-writer.ts";

const INITIAL_CAPACITY = 32;
/** What a client knows of an entity: its id, and its slot with the class of viewers that it was written for. */
const STRIDE = 2;
/** Bits of the class below those of the slot. */
const CLASS_BITS = 2;
const CLASS_MASK = (1 << CLASS_BITS) - 1;

/** What a viewer looks into: a zone in this process, or the mirror of one on another node. */
export interface ViewSource {
  /** The table as it is now; a checkpoint puts another one in its place. */
  readonly table: EntityTable<SeenCell>;
  /** The tick that the table shows in full. */
  readonly tick: number;
  /** Whether the table shows nothing but whole ticks: no input has changed it since. */
  readonly settled: boolean;
}

/** What a client knows to be in view, and the difference to what is. */
export interface Sight {
  /**
   * Looks around from a slot. What comes back holds until anybody looks again. `since` is the tick that the client was
   * told of last, -1: none; `isResumed` that it may have missed what was sent.
   */
  look(source: ViewSource, self: number, since: number, isResumed: boolean): View;
  /** Forgets everything. */
  forgetAll(): void;
  /** Takes back that an entity came into view. */
  forget(id: number): void;
  /** Takes back that an entity went out of view. */
  recall(id: number): void;
}

// Looked at and written within one call, so that all viewers of a thread can share it.
const view: View = {
  entered: [],
  again: [],
  moved: [],
  turned: [],
  changed: [],
  left: [],
  moving: false,
};

/** The sight of a character with a radius in tiles; it knows of nothing yet. */
export function createSight(character: string, radius: number): Sight {
  return new Known(character, radius);
}

/** What a client knows. */
class Known implements Sight {
  private readonly character: string;
  private readonly radius: number;
  /** {@link STRIDE} numbers for each: one array, since each tick goes through those of all viewers. */
  private known = new Int32Array(STRIDE * INITIAL_CAPACITY);
  private count = 0;

  constructor(character: string, radius: number) {
    this.character = character;
    this.radius = radius;
  }

  look(source: ViewSource, self: number, since: number, isResumed: boolean): View {
    const { table } = source;
    clear(view);
    const x = table.seenXs[self] as number;
    const y = table.seenYs[self] as number;
    const { slots, count } = table.seenAround(x, y, this.radius);
    const { marks } = table;
    // Who is near has the one mark, and the other when the client knows it.
    const [near, known] = [table.nextMark(), table.nextMark()];
    for (let i = 0; i < count; i++) marks[slots[i] as number] = near;
    this.lookAtKnown({ table, tick: source.tick, since, isResumed, near, known });
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      if (marks[slot] !== near) continue;
      this.add(table.ids[slot] as number, slot, table.viewerClass(slot, this.character));
      view.entered.push(slot);
      view.moving ||= isMoving(table, slot);
    }
    return view;
  }

  forgetAll(): void {
    this.count = 0;
  }

  forget(id: number): void {
    const at = this.indexOf(id);
    if (at < 0) return;
    this.count--;
    this.known.copyWithin(STRIDE * at, STRIDE * this.count, STRIDE * (this.count + 1));
  }

  recall(id: number): void {
    if (this.indexOf(id) < 0) this.add(id, -1, VIEWER_NEAR);
  }

  private indexOf(id: number): number {
    for (let i = 0; i < this.count; i++) if (this.known[STRIDE * i] === (id | 0)) return i;
    return -1;
  }

  private add(id: number, slot: number, viewer: ViewerClass): void {
    const at = STRIDE * this.count++;
    if (at === this.known.length) {
      const larger = new Int32Array(this.known.length * 2);
      larger.set(this.known);
      this.known = larger;
    }
    this.known[at] = id;
    this.known[at + 1] = (slot << CLASS_BITS) | viewer;
  }

  private lookAtKnown({ table, tick, since, isResumed, near, known: seen }: Look): void {
    const { known, character, count } = this;
    const { ids, marks, newsTicks } = table;
    let kept = 0;
    for (let at = 0; at < STRIDE * count; at += STRIDE) {
      const id = (known[at] as number) >>> 0;
      let place = known[at + 1] as number;
      let slot = place >> CLASS_BITS;
      if (ids[slot] !== id) {
        // A mirror may lose it and find it again in between, in another slot.
        slot = table.slotOf(id) ?? -1;
        place = (slot << CLASS_BITS) | (place & CLASS_MASK);
      }
      if (slot < 0 || marks[slot] !== near) {
        view.left.push(id);
        continue;
      }
      marks[slot] = seen;
      if ((newsTicks[slot] as number) > since) {
        const viewer = table.viewerClass(slot, character);
        // A client that resumes may have missed a change of owners that was sent.
        const isAnew =
          (place & CLASS_MASK) !== viewer ||
          (isResumed && (table.ownedTicks[slot] as number) > since);
        if (isAnew) view.again.push(slot);
        else noteChanges(table, slot, tick, since, character);
        place = (slot << CLASS_BITS) | viewer;
      }
      view.moving ||= isMoving(table, slot);
      known[kept] = id;
      known[kept + 1] = place;
      kept += STRIDE;
    }
    this.count = kept / STRIDE;
  }
}

/** Since when somebody looks, and the marks of who is near and, of these, of whom the client knows. */
interface Look {
  readonly table: EntityTable<SeenCell>;
  readonly tick: number;
  readonly since: number;
  readonly isResumed: boolean;
  readonly near: number;
  readonly known: number;
}

function noteChanges(
  table: EntityTable<SeenCell>,
  slot: number,
  tick: number,
  since: number,
  character: string,
): void {
  const turnedTick = table.turnedTicks[slot] as number;
  const turned = turnedTick > since;
  if (turned) view.turned.push(slot);
  // A turn says where it was made only to a client that was told of the tick before it, and of none after.
  const reckons = turnedTick === tick && since === tick - 1;
  if ((table.movedTicks[slot] as number) > since || (turned && !reckons)) view.moved.push(slot);
  if ((table.changedTicks[slot] as number) > since && hasChange(table, slot, character, since)) {
    view.changed.push(slot);
  }
}

function isMoving(table: EntityTable<SeenCell>, slot: number): boolean {
  return table.courseVxs[slot] !== 0 || table.courseVys[slot] !== 0;
}

function clear(lists: View): void {
  lists.entered.length = 0;
  lists.again.length = 0;
  lists.moved.length = 0;
  lists.turned.length = 0;
  lists.changed.length = 0;
  lists.left.length = 0;
  lists.moving = false;
}
