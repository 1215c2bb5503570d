import type { SeenCell, ViewerClass } from "./components.ts";
import { VIEWER_NEAR } from "./components.ts";
import type { EntityTable } from "./entity-table.ts";
import { hasChange } from "./view-writer.ts";
import type { View } from "./view-writer.ts";

/** How far an entity may be from where it is shown after whole ticks, in tiles: more than the tolerance of its course. */
const SETTLED_SLACK_TILES = 1 / 64;
/** The same with inputs since the last tick: a step by an offset, and a little. Who leapt further counts as gone one message early. */
const UNSETTLED_SLACK_TILES = 2;
const INITIAL_CAPACITY = 32;

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

/** What a client knows, in columns. */
class Known implements Sight {
  private readonly character: string;
  private readonly radius: number;
  private ids = new Uint32Array(INITIAL_CAPACITY);
  private slots = new Int32Array(INITIAL_CAPACITY);
  private classes = new Uint8Array(INITIAL_CAPACITY);
  private count = 0;

  constructor(character: string, radius: number) {
    this.character = character;
    this.radius = radius;
  }

  look(source: ViewSource, self: number, since: number, isResumed: boolean): View {
    const { table, tick } = source;
    const { radius } = this;
    clear(view);
    const x = table.shownX(self, tick);
    const y = table.shownY(self, tick);
    const mark = table.nextMark();
    this.lookAtKnown({ table, tick, x, y, since, isResumed, mark });
    const slack = source.settled ? SETTLED_SLACK_TILES : UNSETTLED_SLACK_TILES;
    table.grid.around(x, y, radius + slack, (slot) => {
      if (table.marks[slot] === mark || !isNear(table, slot, tick, x, y, radius)) return;
      this.add(table.ids[slot] as number, slot, table.viewerClass(slot, this.character));
      view.entered.push(slot);
      view.moving ||= isMoving(table, slot);
    });
    return view;
  }

  forgetAll(): void {
    this.count = 0;
  }

  forget(id: number): void {
    const { ids, slots, classes } = this;
    const at = ids.subarray(0, this.count).indexOf(id);
    if (at < 0) return;
    const last = --this.count;
    ids[at] = ids[last] as number;
    slots[at] = slots[last] as number;
    classes[at] = classes[last] as number;
  }

  recall(id: number): void {
    if (!this.ids.subarray(0, this.count).includes(id)) this.add(id, -1, VIEWER_NEAR);
  }

  private add(id: number, slot: number, viewer: ViewerClass): void {
    if (this.count === this.ids.length) {
      const size = this.count * 2;
      this.ids = copyTo(new Uint32Array(size), this.ids);
      this.slots = copyTo(new Int32Array(size), this.slots);
      this.classes = copyTo(new Uint8Array(size), this.classes);
    }
    this.ids[this.count] = id;
    this.slots[this.count] = slot;
    this.classes[this.count++] = viewer;
  }

  private lookAtKnown({ table, tick, x, y, since, isResumed, mark }: Look): void {
    const { ids, slots, classes, character, radius } = this;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const id = ids[i] as number;
      let slot = slots[i] as number;
      // A mirror may lose it and find it again in between, in another slot.
      if (table.ids[slot] !== id) slot = table.slotOf(id) ?? -1;
      if (slot < 0 || !isNear(table, slot, tick, x, y, radius)) {
        view.left.push(id);
        continue;
      }
      table.marks[slot] = mark;
      const viewer = table.viewerClass(slot, character);
      // A client that resumes may have missed a change of owners that was sent.
      const isAnew =
        classes[i] !== viewer || (isResumed && (table.ownedTicks[slot] as number) > since);
      if (isAnew) view.again.push(slot);
      else noteChanges(table, slot, tick, since, character);
      view.moving ||= isMoving(table, slot);
      ids[kept] = id;
      slots[kept] = slot;
      classes[kept++] = viewer;
    }
    this.count = kept;
  }
}

/** Where and since when somebody looks. */
interface Look {
  readonly table: EntityTable<SeenCell>;
  readonly tick: number;
  readonly x: number;
  readonly y: number;
  readonly since: number;
  readonly isResumed: boolean;
  readonly mark: number;
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

/** Whether an entity is shown within the radius of a place, the rim included. */
function isNear(
  table: EntityTable<SeenCell>,
  slot: number,
  tick: number,
  x: number,
  y: number,
  radius: number,
): boolean {
  const dx = table.shownX(slot, tick) - x;
  const dy = table.shownY(slot, tick) - y;
  return dx * dx + dy * dy <= radius * radius;
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

function copyTo<A extends Uint32Array | Int32Array | Uint8Array>(to: A, from: A): A {
  to.set(from);
  return to;
}
