import type { CommonForm, ToldBaselines } from "./baselines.ts";
import { encodeFor } from "./components.ts";
import type { SeenCell, ViewerClass } from "./components.ts";
import { UNITS_PER_TILE, toUnits } from "./entity-table.ts";
import type { EntityForm, EntityTable } from "./entity-table.ts";
import { WireWriter } from "./wire-writer.ts";

/** Field numbers of `realmwire.v1.UpdateResponse` and the messages in it. */
const UPDATE = {
  tick: 1,
  cursor: 2,
  flags: 3,
  scene: 4,
  entities: 5,
  moved: 6,
  turned: 7,
  changed: 8,
  left: 9,
  events: 10,
  acknowledged: 11,
  refused: 12,
  baselines: 13,
} as const;
const ENTITY = {
  id: 1,
  name: 2,
  kind: 3,
  visual: 4,
  position: 5,
  velocity: 6,
  components: 7,
  baseline: 8,
} as const;
const BASELINE = { number: 1 } as const;
const MOTION = { ids: 1, originX: 2, originY: 3, xs: 4, ys: 5 } as const;
const CHANGE = { id: 1, components: 2 } as const;

/** What there is to say of what is in view. Slots, and for those that left, ids. */
export interface View {
  readonly entered: number[];
  /** Known ones that changed hands: sent in full again, since their components show others more or less. */
  readonly again: number[];
  readonly moved: number[];
  readonly turned: number[];
  readonly changed: number[];
  readonly left: number[];
  /** Whether anything in view moves. */
  moving: boolean;
}

/** Whether there is nothing to say. */
export function isEmpty(view: View): boolean {
  return (
    view.entered.length === 0 &&
    view.again.length === 0 &&
    view.moved.length === 0 &&
    view.turned.length === 0 &&
    view.changed.length === 0 &&
    view.left.length === 0
  );
}

/** What a message says besides what is in view. All messages in it are serialized. */
interface Parts {
  readonly tick: number;
  readonly cursor: string;
  readonly flags: readonly Uint8Array[];
  /** Set when the message begins afresh. */
  readonly scene: Uint8Array | undefined;
  readonly events: readonly Uint8Array[];
  readonly acknowledged: number;
  readonly refused: readonly Uint8Array[];
}

/** Who is written to: the slot and the name of the viewer's own entity, the tick that it was last sent, and the baselines that it has, if it heeds any. */
interface Reader {
  readonly self: number;
  readonly character: string;
  readonly since: number;
  readonly baselines: ToldBaselines | undefined;
}

const encoder = new TextEncoder();

/** Writes an `UpdateResponse` straight from the table, over what the writer held. */
export function writeUpdate(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  reader: Reader,
  view: View,
  parts: Parts,
): void {
  const { self, character, since } = reader;
  writer.reset();
  writer.uint32(UPDATE.tick, parts.tick);
  writer.text(UPDATE.cursor, parts.cursor);
  for (const flag of parts.flags) writer.bytes(UPDATE.flags, flag);
  if (parts.scene) writer.bytes(UPDATE.scene, parts.scene);
  if (view.entered.length + view.again.length > 0) {
    writeEntities(writer, table, reader, [view.entered, view.again], parts.tick);
  }
  writePlaces(writer, table, view.moved, parts.tick, self);
  writeVelocities(writer, table, view.turned);
  for (const slot of view.changed) {
    writeChange(writer, table, slot, table.viewerClass(slot, character), since);
  }
  writeColumn(writer, UPDATE.left, view.left);
  for (const event of parts.events) writer.bytes(UPDATE.events, event);
  writer.uint32(UPDATE.acknowledged, parts.acknowledged);
  for (const outcome of parts.refused) writer.bytes(UPDATE.refused, outcome);
}

/** Whether a component changed since a tick in what a character sees of it. */
export function hasChange(
  table: EntityTable<SeenCell>,
  slot: number,
  character: string,
  since: number,
): boolean {
  const viewer = table.viewerClass(slot, character);
  return (table.cells[slot] ?? []).some(
    (cell) => cell.changedTicks[viewer] > since && cell.type.seenBy[viewer],
  );
}

function writeEntities(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  { character, baselines }: Reader,
  lists: readonly (readonly number[])[],
  tick: number,
): void {
  const tell = (number: number, form: CommonForm) => writeBaseline(writer, number, form);
  baselines?.begin();
  for (const slots of lists) {
    for (const slot of slots) {
      const { own, common } = formOf(table, slot, table.viewerClass(slot, character));
      const baseline = baselines?.numberOf(common, tell) ?? 0;
      const mark = writer.begin(UPDATE.entities);
      writer.raw(own);
      if (baseline === 0) writer.raw(common.bytes);
      else writer.uint32(ENTITY.baseline, baseline);
      writeCourse(writer, table, slot, tick);
      writer.end(mark);
    }
  }
}

function writeBaseline(writer: WireWriter, number: number, { bytes }: CommonForm): void {
  const mark = writer.begin(UPDATE.baselines);
  writer.uint32(BASELINE.number, number);
  writer.raw(bytes);
  writer.end(mark);
}

function writeCourse(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slot: number,
  tick: number,
): void {
  const x = rounded(table.shownX(slot, tick));
  const y = rounded(table.shownY(slot, tick));
  writeVector(writer, ENTITY.position, x, y);
  const vx = table.courseVxs[slot] as number;
  const vy = table.courseVys[slot] as number;
  if (vx !== 0 || vy !== 0) writeVector(writer, ENTITY.velocity, vx, vy);
}

/** All of an entity's full form but for where it is and how it moves: made once, and copied to all who come to see it. */
function formOf(table: EntityTable<SeenCell>, slot: number, viewer: ViewerClass): EntityForm {
  const forms = table.forms[viewer] as (EntityForm | undefined)[];
  return (forms[slot] ??= writeForm(table, slot, viewer));
}

// The shared writer holds half a message at this time.
const formWriter = new WireWriter();

function writeForm(table: EntityTable<SeenCell>, slot: number, viewer: ViewerClass): EntityForm {
  formWriter.reset();
  formWriter.uint32(ENTITY.id, table.ids[slot] as number);
  formWriter.bytes(ENTITY.name, encoder.encode(table.names[slot]));
  const own = formWriter.finish();
  formWriter.reset();
  formWriter.uint32(ENTITY.kind, table.kinds[slot] as number);
  formWriter.bytes(ENTITY.visual, encoder.encode(table.visuals[slot]));
  writeComponents(formWriter, ENTITY.components, table.cells[slot] ?? [], viewer, -1);
  return { own, common: table.commonForms.of(formWriter.finish()) };
}

/** A place in full forms: so fine that it does not count beside the tolerance, and short in JSON. */
function rounded(tiles: number): number {
  return Math.round(tiles * 4_096) / 4_096;
}

function writeVector(writer: WireWriter, field: number, x: number, y: number): void {
  const mark = writer.begin(field);
  writer.double(1, x);
  writer.double(2, y);
  writer.end(mark);
}

function writeChange(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slot: number,
  viewer: ViewerClass,
  since: number,
): void {
  const mark = writer.begin(UPDATE.changed);
  writer.uint32(CHANGE.id, table.ids[slot] as number);
  writeComponents(writer, CHANGE.components, table.cells[slot] ?? [], viewer, since);
  writer.end(mark);
}

function writeComponents(
  writer: WireWriter,
  field: number,
  cells: readonly SeenCell[],
  viewer: ViewerClass,
  since: number,
): void {
  for (const cell of cells) {
    if (cell.changedTicks[viewer] <= since) continue;
    const bytes = encodeFor(cell, viewer);
    if (bytes) writer.bytes(field, bytes);
  }
}

/** Writes where entities are at a tick, counted from where the viewer's own is. */
function writePlaces(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slots: readonly number[],
  tick: number,
  self: number,
): void {
  if (slots.length === 0) return;
  const originX = toUnits(table.shownX(self, tick));
  const originY = toUnits(table.shownY(self, tick));
  const mark = writer.begin(UPDATE.moved);
  writeIds(writer, table, slots);
  writer.sint32(MOTION.originX, originX);
  writer.sint32(MOTION.originY, originY);
  const xs = writer.begin(MOTION.xs);
  for (const slot of slots) writer.signedItem(toUnits(table.shownX(slot, tick)) - originX);
  writer.end(xs);
  const ys = writer.begin(MOTION.ys);
  for (const slot of slots) writer.signedItem(toUnits(table.shownY(slot, tick)) - originY);
  writer.end(ys);
  writer.end(mark);
}

function writeVelocities(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slots: readonly number[],
): void {
  if (slots.length === 0) return;
  const mark = writer.begin(UPDATE.turned);
  writeIds(writer, table, slots);
  const vxs = writer.begin(MOTION.xs);
  for (const slot of slots) writer.signedItem((table.courseVxs[slot] as number) * UNITS_PER_TILE);
  writer.end(vxs);
  const vys = writer.begin(MOTION.ys);
  for (const slot of slots) writer.signedItem((table.courseVys[slot] as number) * UNITS_PER_TILE);
  writer.end(vys);
  writer.end(mark);
}

function writeIds(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slots: readonly number[],
): void {
  const mark = writer.begin(MOTION.ids);
  for (const slot of slots) writer.item(table.ids[slot] as number);
  writer.end(mark);
}

/** Writes a packed column of unsigned numbers; nothing when it is empty. */
function writeColumn(writer: WireWriter, field: number, items: readonly number[]): void {
  if (items.length === 0) return;
  const mark = writer.begin(field);
  for (const item of items) writer.item(item);
  writer.end(mark);
}
