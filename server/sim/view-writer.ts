import { encodeFor } from "./components.ts";
import type { SeenCell, ViewerClass } from "./components.ts";
import { UNITS_PER_TILE } from "./entity-table.ts";
import type { EntityTable } from "./entity-table.ts";
import type { WireWriter } from "./wire-writer.ts";

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
} as const;
const ENTITY = {
  id: 1,
  name: 2,
  kind: 3,
  visual: 4,
  position: 5,
  velocity: 6,
  components: 7,
} as const;
const MOTION = { ids: 1, originX: 2, originY: 3, xs: 4, ys: 5 } as const;
const CHANGE = { id: 1, components: 2 } as const;

/** Slots, and for those that left, ids. */
export interface View {
  readonly entered: number[];
  /** Known ones that changed hands: sent in full again, since their components show others more or less. */
  readonly again: number[];
  readonly moved: number[];
  readonly turned: number[];
  readonly changed: number[];
  readonly left: number[];
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

/** Who is written to: the slot and the name of the viewer's own entity, and the tick that it was last sent. */
interface Reader {
  readonly self: number;
  readonly character: string;
  readonly since: number;
}

const encoder = new TextEncoder();

/** Writes an `UpdateResponse` straight from the table, over what the writer held. */
export function writeUpdate(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  { self, character, since }: Reader,
  view: View,
  parts: Parts,
): void {
  writer.reset();
  writer.uint32(UPDATE.tick, parts.tick);
  writer.ascii(UPDATE.cursor, parts.cursor);
  for (const flag of parts.flags) writer.bytes(UPDATE.flags, flag);
  if (parts.scene) writer.bytes(UPDATE.scene, parts.scene);
  for (const slots of [view.entered, view.again]) {
    for (const slot of slots) writeEntity(writer, table, slot, table.viewerClass(slot, character));
  }
  const origin = { x: toUnits(table.xs[self] as number), y: toUnits(table.ys[self] as number) };
  writeMotion(writer, UPDATE.moved, table, view.moved, table.xs, table.ys, origin);
  writeMotion(writer, UPDATE.turned, table, view.turned, table.vxs, table.vys, { x: 0, y: 0 });
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

/** A number of tiles in units of the wire. */
export function toUnits(tiles: number): number {
  return Math.round(tiles * UNITS_PER_TILE);
}

function writeEntity(
  writer: WireWriter,
  table: EntityTable<SeenCell>,
  slot: number,
  viewer: ViewerClass,
): void {
  const mark = writer.begin(UPDATE.entities);
  writer.uint32(ENTITY.id, table.ids[slot] as number);
  writer.bytes(ENTITY.name, encoder.encode(table.names[slot]));
  writer.uint32(ENTITY.kind, table.kinds[slot] as number);
  writer.bytes(ENTITY.visual, encoder.encode(table.visuals[slot]));
  writeVector(writer, ENTITY.position, table.xs[slot] as number, table.ys[slot] as number);
  const vx = table.vxs[slot] as number;
  const vy = table.vys[slot] as number;
  if (vx !== 0 || vy !== 0) writeVector(writer, ENTITY.velocity, vx, vy);
  writeComponents(writer, ENTITY.components, table.cells[slot] ?? [], viewer, -1);
  writer.end(mark);
}

function writeVector(writer: WireWriter, field: number, x: number, y: number): void {
  const mark = writer.begin(field);
  writer.double(1, toUnits(x) / UNITS_PER_TILE);
  writer.double(2, toUnits(y) / UNITS_PER_TILE);
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

/** Writes columns of positions or velocities as a `Motion`. */
function writeMotion(
  writer: WireWriter,
  field: number,
  table: EntityTable<SeenCell>,
  slots: readonly number[],
  xs: Float64Array,
  ys: Float64Array,
  origin: { readonly x: number; readonly y: number },
): void {
  if (slots.length === 0) return;
  const mark = writer.begin(field);
  const ids = writer.begin(MOTION.ids);
  for (const slot of slots) writer.item(table.ids[slot] as number);
  writer.end(ids);
  writer.sint32(MOTION.originX, origin.x);
  writer.sint32(MOTION.originY, origin.y);
  const columns = [
    [MOTION.xs, xs, origin.x],
    [MOTION.ys, ys, origin.y],
  ] as const;
  for (const [column, values, from] of columns) {
    const items = writer.begin(column);
    for (const slot of slots) writer.signedItem(toUnits(values[slot] as number) - from);
    writer.end(items);
  }
  writer.end(mark);
}

/** Writes a packed column of unsigned numbers; nothing when it is empty. */
function writeColumn(writer: WireWriter, field: number, items: readonly number[]): void {
  if (items.length === 0) return;
  const mark = writer.begin(field);
  for (const item of items) writer.item(item);
  writer.end(mark);
}
