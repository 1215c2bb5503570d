import { ToldBaselines } from "./baselines.ts";
import type { SeenCell } from "./components.ts";
import type { EntityTable } from "./entity-table.ts";
import { createJournal } from "./journal.ts";
import { createSight } from "./sight.ts";
import type { Sight, ViewSource } from "./sight.ts";
import { isEmpty, writeUpdate } from "./view-writer.ts";
import type { View } from "./view-writer.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Events that wait for a viewer who does not read; beyond it they are dropped and the viewer begins afresh. */
export const MAX_PENDING_EVENTS = 256;
/** Messages with events that a viewer can take back when a client resumes. */
export const MAX_RESUMABLE_MESSAGES = 128;
/** Comings and goings that a viewer can take back when a client resumes. In a lively crowd about half a minute's. */
export const MAX_RESUMABLE_CHANGES = 512;
/** Ticks without a message after which a viewer begins afresh instead of catching up. */
export const MAX_LAG_TICKS = 100;

/** While something in view moves, a message comes at least this often: one who hears nothing may take what moves for moving on. */
export const MOVING_HEARTBEAT_S = 2;

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
  /**
   * The next message, a serialized `UpdateResponse`; undefined when there is nothing to say or its own entity is not there. It holds until a
   * viewer with the same writer is asked.
   */
  message(extras: MessageExtras): Uint8Array<ArrayBuffer> | undefined;
  /** The tick of the last message. */
  readonly sentTick: number;
  /** The number of the last message, which its cursor names. */
  readonly sequence: number;
  /** Whether the client heeds `UpdateResponse.baselines`. */
  heedsBaselines: boolean;
}

interface SentEvents {
  readonly sequence: number;
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
  /** Is told of events that were dropped. */
  readonly onDropped?: (count: number) => void;
}

/** A viewer that has sent nothing yet. */
export function createViewer(options: ViewerOptions): Viewer {
  return new WorldViewer(options);
}

// A class, since getters in object literals give each object a shape of its own, and what asks thousands of viewers in turn becomes slow by that.
class WorldViewer implements Viewer {
  readonly key: string;
  readonly selfId: number;
  sequence = 0;
  sentTick = 0;
  heedsBaselines = false;
  private readonly source: ViewSource;
  private readonly character: string;
  private readonly writer: WireWriter;
  private readonly onDropped: ((count: number) => void) | undefined;
  private readonly sight: Sight;
  private readonly journal = createJournal(MAX_RESUMABLE_CHANGES);
  private baselines: ToldBaselines | undefined;
  private pending: Uint8Array[] = [];
  private sentEvents: SentEvents[] = [];
  private oldestResumable = 1;
  private messageTick = 0;
  private selfSlot = 0;
  private sentAcknowledged = 0;
  private afresh = true;
  /** The next message goes on from a cursor, however long ago that was. */
  private resumed = false;

  constructor(options: ViewerOptions) {
    this.source = options.source;
    this.character = options.character;
    this.writer = options.writer;
    this.onDropped = options.onDropped;
    this.key = options.key;
    this.selfId = options.selfId;
    this.sight = createSight(options.character, options.radius);
  }

  message(extras: MessageExtras): Uint8Array<ArrayBuffer> | undefined {
    const { source, character, writer, sentTick, pending } = this;
    const { table, tick } = source;
    const self = this.slotIn(table);
    if (self === undefined) return undefined;
    const full = this.afresh || (!this.resumed && tick - sentTick > MAX_LAG_TICKS);
    // What an input changed belongs to the coming tick: a scene in between would be sent half again with that one.
    if (full && !source.settled) return undefined;
    // What changed since the tick belongs to the next one: at most one message a tick.
    if (!full && !extras.force && tick === sentTick) return undefined;
    if (full) this.sight.forgetAll();
    // Messages may have been lost.
    if (full || this.resumed)
      this.baselines = this.heedsBaselines ? new ToldBaselines() : undefined;
    const view = this.sight.look(source, self, full ? -1 : sentTick, this.resumed);
    const says =
      full ||
      hasNews(extras, this.sentAcknowledged) ||
      pending.length > 0 ||
      (view.moving && tick - this.messageTick >= table.tickRateHz * MOVING_HEARTBEAT_S) ||
      !isEmpty(view);
    this.resumed = false;
    this.sentTick = tick;
    if (!says) return undefined;
    const mark = this.sequence + 1;
    const cursor = formatCursor(this.key, mark, tick);
    const scene = full ? extras.scene() : undefined;
    const { flags, acknowledged, refused } = extras;
    const parts = { tick, cursor, flags, scene, events: pending, acknowledged, refused };
    writeUpdate(
      writer,
      table,
      { self, character, since: sentTick, baselines: this.baselines },
      view,
      parts,
    );
    const bytes = writer.peek();
    this.remember(view, table, mark, full);
    this.messageTick = tick;
    this.sentAcknowledged = acknowledged;
    this.afresh = false;
    return bytes;
  }

  push(event: Uint8Array): void {
    this.pending.push(event);
    if (this.pending.length <= MAX_PENDING_EVENTS) return;
    this.onDropped?.(this.pending.length);
    this.pending = [];
    this.afresh = true;
  }

  drain(): Uint8Array[] {
    return this.pending.splice(0);
  }

  restart(): void {
    this.afresh = true;
  }

  resume(cursor: string): boolean {
    const at = parseCursor(cursor);
    if (
      this.afresh ||
      !at ||
      at.key !== this.key ||
      at.sequence > this.sequence ||
      at.sequence < this.oldestResumable ||
      at.tick > this.source.tick
    ) {
      this.afresh = true;
      return false;
    }
    const missed: Uint8Array[] = [];
    while ((this.sentEvents.at(-1)?.sequence ?? 0) > at.sequence) {
      missed.unshift(...(this.sentEvents.pop() as SentEvents).events);
    }
    this.journal.takeBack(at.sequence, (id, entered) => {
      if (entered) this.sight.forget(id);
      else this.sight.recall(id);
    });
    this.pending = [...missed, ...this.pending];
    this.sentTick = at.tick;
    this.afresh = false;
    this.resumed = true;
    return true;
  }

  /** The slot of its own entity: mostly that of the time before. */
  private slotIn(table: EntityTable<SeenCell>): number | undefined {
    if (table.ids[this.selfSlot] !== this.selfId) {
      const slot = table.slotOf(this.selfId);
      if (slot === undefined) return undefined;
      this.selfSlot = slot;
    }
    return this.selfSlot;
  }

  private remember(view: View, table: EntityTable<SeenCell>, mark: number, full: boolean): void {
    const { journal, pending } = this;
    this.sequence = mark;
    if (full) {
      this.sentEvents = [];
      journal.clear();
      this.oldestResumable = mark;
    } else {
      for (const slot of view.entered) journal.note(mark, table.ids[slot] as number, true);
      for (const id of view.left) journal.note(mark, id, false);
      this.oldestResumable = Math.max(this.oldestResumable, journal.lost);
      if (pending.length > 0) this.sentEvents.push({ sequence: mark, events: pending });
      if (this.sentEvents.length > MAX_RESUMABLE_MESSAGES) {
        const { sequence } = this.sentEvents.shift() as SentEvents;
        this.oldestResumable = Math.max(this.oldestResumable, sequence);
      }
    }
    if (pending.length > 0) this.pending = [];
  }
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
