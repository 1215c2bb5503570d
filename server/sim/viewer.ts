import { VIEWER_CLASSES } from "./components.ts";
import type { SeenCell } from "./components.ts";
import { UNITS_PER_TILE } from "./entity-table.ts";
import type { EntityTable } from "./entity-table.ts";
import { hasChange, toUnits, writeUpdate } from "./view-writer.ts";
import type { View } from "./view-writer.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Events that wait for a viewer who does not read; beyond it they are dropped and the viewer begins afresh. */
export const MAX_PENDING_EVENTS = 256;
/** Messages with comings, goings or events that a viewer can take back when a client resumes. */
export const MAX_RESUMABLE_MESSAGES = 128;
/** Ticks without a message after which a viewer begins afresh instead of catching up. */
export const MAX_LAG_TICKS = 100;

const CLASSES = VIEWER_CLASSES.length;

/** What a viewer looks into: a zone in this process, or the mirror of one on another node. */
export interface ViewSource {
  /** The table as it is now; a checkpoint puts another one in its place. */
  readonly table: EntityTable<SeenCell>;
  /** The tick that the table shows in full. */
  readonly tick: number;
  /** Whether the table shows nothing but whole ticks: no input has changed it since. */
  readonly settled: boolean;
}

/** What goes with a message besides what is in view. */
export interface MessageExtras {
  /** Serialized `Flag` messages. */
  readonly flags: readonly Uint8Array[];
  /** The sequence of the character's last move that what is to be seen includes. A new one makes a message of its own if nothing else does. */
  readonly acknowledged: number;
  /** Serialized `MoveOutcome` messages of moves that were refused. */
  readonly refused: readonly Uint8Array[];
  /** The serialized `Scene`, asked for when the message begins afresh. */
  scene(): Uint8Array;
  /** Writes the message even if it says nothing. */
  readonly force: boolean;
}

/**
 * The world as one character is sent it. It knows what it sent last; each message is the exact difference
 * to what is to be seen now, however many ticks lie between, so a slow reader costs no memory.
 */
export interface Viewer {
  /** Names this viewer in cursors. */
  readonly key: string;
  /** The entity in whose place it looks. */
  readonly selfId: number;
  /** Adds a serialized `Event` for the next message. */
  push(event: Uint8Array): void;
  /** Takes out the events that wait, for a viewer that takes this one's place. */
  drain(): Uint8Array[];
  /** Makes the next message begin afresh. */
  restart(): void;
  /** Takes the viewer back to when it had sent the message of a cursor; false when that is not possible, and the next message begins afresh. */
  resume(cursor: string): boolean;
  /** The next message, a serialized `UpdateResponse`; undefined when there is nothing to say or its own entity is not there. */
  message(extras: MessageExtras): Uint8Array<ArrayBuffer> | undefined;
  /** The tick of the last message. */
  readonly sentTick: number;
  /** The number of the last message, which its cursor names. */
  readonly sequence: number;
}

interface Sent {
  readonly sequence: number;
  readonly entered: readonly number[];
  readonly left: readonly number[];
  readonly events: readonly Uint8Array[];
}

/** What a viewer is made with. */
export interface ViewerOptions {
  readonly source: ViewSource;
  readonly key: string;
  readonly selfId: number;
  /** The character's name, which decides what it sees as an owner. */
  readonly character: string;
  /** How far it sees, in tiles. */
  readonly radius: number;
  /** A buffer that viewers of one thread share. */
  readonly writer: WireWriter;
}

/** A viewer that has sent nothing yet. */
export function createViewer(options: ViewerOptions): Viewer {
  const { source, key, selfId, character, radius, writer } = options;
  /** Ids that the client holds, with the number of the look that saw them last, times {@link CLASSES}, plus the class of viewers that it saw them as. */
  let known = new Map<number, number>();
  let looks = 0;
  let pending: Uint8Array[] = [];
  let sent: Sent[] = [];
  let sequence = 0;
  let oldestResumable = 1;
  let sentTick = 0;
  let sentAcknowledged = 0;
  let afresh = true;
  /** The next message goes on from a cursor, however long ago that was. */
  let resumed = false;

  function message(extras: MessageExtras): Uint8Array<ArrayBuffer> | undefined {
    const { table, tick } = source;
    const self = table.slotOf(selfId);
    if (self === undefined) return undefined;
    const full = afresh || (!resumed && tick - sentTick > MAX_LAG_TICKS);
    // What an input changed belongs to the coming tick: a scene in between would be sent half again with that one.
    if (full && !source.settled) return undefined;
    // What changed since the tick belongs to the next one: at most one message a tick.
    if (!full && !extras.force && tick === sentTick) return undefined;
    if (full) known = new Map();
    const view = look(table, self, full ? -1 : sentTick);
    const says =
      full ||
      hasNews(extras, sentAcknowledged) ||
      pending.length > 0 ||
      Object.values(view).some((part) => part.length > 0);
    resumed = false;
    if (!says) {
      sentTick = tick;
      return undefined;
    }
    const mark = sequence + 1;
    const cursor = formatCursor(key, mark, tick);
    const scene = full ? extras.scene() : undefined;
    const { flags, acknowledged, refused } = extras;
    const parts = { tick, cursor, flags, scene, events: pending, acknowledged, refused };
    writeUpdate(writer, table, { self, character, since: sentTick }, view, parts);
    const bytes = writer.finish();
    remember(view, table, mark, full);
    sentTick = tick;
    sentAcknowledged = acknowledged;
    afresh = false;
    return bytes;
  }

  /** What is to be seen now, against what is known. Distances are between places as the wire rounds them, which a mirror knows too. */
  function look(table: EntityTable<SeenCell>, self: number, since: number): View {
    const view: View = { entered: [], again: [], moved: [], turned: [], changed: [], left: [] };
    const mark = ++looks;
    const x = toUnits(table.xs[self] as number);
    const y = toUnits(table.ys[self] as number);
    const reach = radius * UNITS_PER_TILE;
    table.grid.around(
      x / UNITS_PER_TILE,
      y / UNITS_PER_TILE,
      radius + 1 / UNITS_PER_TILE,
      (slot) => {
        const dx = toUnits(table.xs[slot] as number) - x;
        const dy = toUnits(table.ys[slot] as number) - y;
        if (dx * dx + dy * dy > reach * reach) return;
        const id = table.ids[slot] as number;
        const before = known.get(id);
        const viewer = table.viewerClass(slot, character);
        if (before === undefined) {
          view.entered.push(slot);
        } else if (before % CLASSES !== viewer || isOwnedAnew(table, slot, since)) {
          view.again.push(slot);
        } else {
          if ((table.movedTicks[slot] as number) > since) view.moved.push(slot);
          if ((table.turnedTicks[slot] as number) > since) view.turned.push(slot);
          if (
            (table.changedTicks[slot] as number) > since &&
            hasChange(table, slot, character, since)
          ) {
            view.changed.push(slot);
          }
        }
        known.set(id, mark * CLASSES + viewer);
      },
    );
    for (const [id, seen] of known) {
      if (Math.floor(seen / CLASSES) === mark) continue;
      view.left.push(id);
      known.delete(id);
    }
    return view;
  }

  /** A client that resumes may have missed a change of owners that was sent. */
  function isOwnedAnew(table: EntityTable<SeenCell>, slot: number, since: number): boolean {
    return resumed && (table.ownedTicks[slot] as number) > since;
  }

  function remember(view: View, table: EntityTable<SeenCell>, mark: number, full: boolean): void {
    sequence = mark;
    if (full) {
      sent = [];
      oldestResumable = mark;
    } else if (view.entered.length + view.left.length + pending.length > 0) {
      const entered = view.entered.map((slot) => table.ids[slot] as number);
      sent.push({ sequence: mark, entered, left: view.left, events: pending });
      if (sent.length > MAX_RESUMABLE_MESSAGES) {
        oldestResumable = (sent.shift() as Sent).sequence;
      }
    }
    pending = [];
  }

  return {
    key,
    selfId,
    message,
    push(event) {
      pending.push(event);
      if (pending.length <= MAX_PENDING_EVENTS) return;
      pending = [];
      afresh = true;
    },
    drain: () => pending.splice(0),
    restart() {
      afresh = true;
    },
    resume(cursor) {
      const at = parseCursor(cursor);
      if (
        afresh ||
        !at ||
        at.key !== key ||
        at.sequence > sequence ||
        at.sequence < oldestResumable ||
        at.tick > source.tick
      ) {
        afresh = true;
        return false;
      }
      const missed: Uint8Array[] = [];
      while ((sent.at(-1)?.sequence ?? 0) > at.sequence) {
        const { entered, left, events } = sent.pop() as Sent;
        for (const id of entered) known.delete(id);
        for (const id of left) known.set(id, 0);
        missed.unshift(...events);
      }
      pending = [...missed, ...pending];
      sentTick = at.tick;
      afresh = false;
      resumed = true;
      return true;
    },
    get sentTick() {
      return sentTick;
    },
    get sequence() {
      return sequence;
    },
  };
}

/** Whether what goes along with a view is worth a message of its own. */
function hasNews(extras: MessageExtras, sentAcknowledged: number): boolean {
  const { force, flags, refused, acknowledged } = extras;
  return force || flags.length > 0 || refused.length > 0 || acknowledged !== sentAcknowledged;
}

function formatCursor(key: string, sequence: number, tick: number): string {
  return `${key}.${sequence.toString(36)}.${tick.toString(36)}`;
}

/** The parts of a cursor; undefined for a text that is none. */
export function parseCursor(
  cursor: string,
): { readonly key: string; readonly sequence: number; readonly tick: number } | undefined {
  const match = /^([0-9a-z]+)\.([0-9a-z]{1,7})\.([0-9a-z]{1,7})$/.exec(cursor);
  if (!match) return undefined;
  const [, key = "", sequence = "", tick = ""] = match;
  return { key, sequence: Number.parseInt(sequence, 36), tick: Number.parseInt(tick, 36) };
}
