import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  MirrorChangeSchema,
  MirrorComponentSchema,
  MirrorEntitySchema,
  RegionFrameSchema,
} from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import type {
  MirrorChange,
  MirrorComponent,
  MirrorEntity,
  RegionFrame,
} from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import type { MotionSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  VIEWER_CLASSES,
  VIEWER_NEAR,
  VIEWER_OWNER,
  VIEWER_PARTY,
  encodeFor,
} from "./components.ts";
import type { Cell } from "./components.ts";
import { UNITS_PER_TILE, toUnits } from "./entity-table.ts";
import type { EntityTable } from "./entity-table.ts";

/** Edge of a region, in tiles. */
export const REGION_TILES = 32;

/** A square of a zone, by its place among the others. */
export interface RegionPlace {
  readonly column: number;
  readonly row: number;
}

/** Writes down what happens in the regions of a zone, for mirrors on other nodes. */
export interface RegionFramer {
  /**
   * A frame for each wanted region: what changed in the tick that was stepped last. To be called once after
   * every step, with all regions that anybody wants, since a mirror takes a missing tick for a loss. A region
   * that was not wanted in the tick before, or that `complete` asks for, comes in full. Regions outside the
   * map are passed over.
   */
  frame(regions: Iterable<RegionPlace>, complete?: (region: RegionPlace) => boolean): RegionFrame[];
}

/** What a region's last frame showed. */
interface Shown {
  readonly tick: number;
  readonly ids: ReadonlySet<number>;
}

/** A framer that has shown nothing yet. `run` is another number whenever the zone began anew; the map's size is in tiles. */
export function createRegionFramer(options: {
  source: { readonly table: EntityTable; readonly tick: number };
  zone: string;
  run: number;
  mapWidth: number;
  mapHeight: number;
}): RegionFramer {
  const { source, zone, run, mapWidth, mapHeight } = options;
  let shown = new Map<string, Shown>();

  function frameOf({ column, row }: RegionPlace, before: Shown | undefined, ids: Set<number>) {
    const { table, tick } = source;
    const since = before?.tick ?? 0;
    const entered: MirrorEntity[] = [];
    const changed: MirrorChange[] = [];
    const moved: number[] = [];
    const turned: number[] = [];
    eachSlotIn(source, column, row, (slot) => {
      const id = table.ids[slot] as number;
      ids.add(id);
      if (!before?.ids.has(id)) {
        entered.push(entityOf(table, slot));
        return;
      }
      if ((table.movedTicks[slot] as number) > since) moved.push(slot);
      if ((table.turnedTicks[slot] as number) > since) turned.push(slot);
      const change = changeOf(table, slot, since);
      if (change) changed.push(change);
    });
    return create(RegionFrameSchema, {
      zone,
      run,
      tick,
      column,
      row,
      complete: before === undefined,
      entered,
      changed,
      left: [...(before?.ids ?? [])].filter((id) => !ids.has(id)),
      ...(moved.length > 0 ? { moved: placesOf(table, moved, { column, row }) } : {}),
      ...(turned.length > 0 ? { turned: velocitiesOf(table, turned) } : {}),
    });
  }

  return {
    frame(regions, complete) {
      const { tick } = source;
      const next = new Map<string, Shown>();
      const frames: RegionFrame[] = [];
      for (const region of regions) {
        const key = regionKey(region);
        if (next.has(key) || !isInside(region, mapWidth, mapHeight)) continue;
        const before = shown.get(key);
        const goesOn = before && before.tick >= tick - 1 && !complete?.(region);
        const ids = new Set<number>();
        frames.push(frameOf(region, goesOn ? before : undefined, ids));
        next.set(key, { tick, ids });
      }
      shown = next;
      return frames;
    },
  };
}

/** Names a region in maps and subjects: `<column>_<row>`. */
export function regionKey({ column, row }: RegionPlace): string {
  return `${column}_${row}`;
}

/** The regions of a map that a circle touches, with the rounding of the wire. All lengths are in tiles. */
export function regionsAround(
  place: { readonly x: number; readonly y: number },
  radius: number,
  map: { readonly width: number; readonly height: number },
): RegionPlace[] {
  const reach = radius + 1 / UNITS_PER_TILE;
  const first = (value: number) => Math.max(0, Math.floor((value - reach) / REGION_TILES));
  const last = (value: number, size: number) =>
    Math.floor(Math.min(value + reach, size - 1) / REGION_TILES);
  const regions: RegionPlace[] = [];
  for (let row = first(place.y); row <= last(place.y, map.height); row++) {
    for (let column = first(place.x); column <= last(place.x, map.width); column++) {
      regions.push({ column, row });
    }
  }
  return regions;
}

function isInside({ column, row }: RegionPlace, width: number, height: number): boolean {
  return column >= 0 && row >= 0 && column * REGION_TILES < width && row * REGION_TILES < height;
}

/** How far an entity may be from where it is shown after a tick, in tiles. */
const SLACK_TILES = 1 / 64;

/** Visits who is shown in a region. */
function eachSlotIn(
  { table, tick }: { readonly table: EntityTable; readonly tick: number },
  column: number,
  row: number,
  visit: (slot: number) => void,
): void {
  const half = REGION_TILES / 2;
  const x = column * REGION_TILES + half;
  const y = row * REGION_TILES + half;
  const { slots, count } = table.grid.around(x, y, half + SLACK_TILES);
  for (let i = 0; i < count; i++) {
    const slot = slots[i] as number;
    const isHere =
      Math.floor(table.shownX(slot, tick) / REGION_TILES) === column &&
      Math.floor(table.shownY(slot, tick) / REGION_TILES) === row;
    if (isHere) visit(slot);
  }
}

function entityOf(table: EntityTable, slot: number): MirrorEntity {
  return create(MirrorEntitySchema, {
    id: table.ids[slot] as number,
    name: table.names[slot] ?? "",
    kind: table.kinds[slot] ?? 0,
    visual: table.visuals[slot] ?? "",
    owner: table.owners[slot] ?? "",
    east: table.courseXs[slot] as number,
    south: table.courseYs[slot] as number,
    courseTick: table.courseTicks[slot] as number,
    vx: toUnits(table.courseVxs[slot] as number),
    vy: toUnits(table.courseVys[slot] as number),
    components: (table.cells[slot] ?? []).flatMap(componentOf),
  });
}

/** What changed of an entity besides where it is and goes; undefined when nothing did that anybody sees. */
function changeOf(table: EntityTable, slot: number, since: number): MirrorChange | undefined {
  if ((table.changedTicks[slot] as number) <= since) return undefined;
  // An owner sees whatever anybody sees, so every change that is seen is one for the owner.
  const cells = (table.cells[slot] ?? []).filter((cell) => cell.changedTicks[VIEWER_OWNER] > since);
  const components = cells.flatMap(componentOf);
  if (components.length === 0) return undefined;
  const id = table.ids[slot] as number;
  const visual = table.visuals[slot] ?? "";
  const owner = table.owners[slot] ?? "";
  return create(MirrorChangeSchema, { id, components, visual, owner });
}

/** A component as each class of viewers sees it; nothing when none does. What is the same as for the class before is left empty. */
function componentOf(cell: Cell): MirrorComponent[] {
  const { seenBy, schema } = cell.type;
  let bits = 0;
  for (const viewer of VIEWER_CLASSES) if (seenBy[viewer]) bits |= 1 << viewer;
  if (bits === 0) return [];
  const near = encodeFor(cell, VIEWER_NEAR);
  const party = encodeFor(cell, VIEWER_PARTY);
  const owner = encodeFor(cell, VIEWER_OWNER);
  return [
    create(MirrorComponentSchema, {
      type: schema.typeName,
      seenBy: bits,
      ...(near ? { near } : {}),
      ...(party && !sameBytes(party, near) ? { party } : {}),
      ...(owner && !sameBytes(owner, party) ? { owner } : {}),
    }),
  ];
}

/** Whether two byte strings are there and equal. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && a.length === b?.length && a.every((byte, i) => byte === b[i]);
}

/** Where courses began in the tick, which is on whole units. */
function placesOf(
  table: EntityTable,
  slots: readonly number[],
  { column, row }: RegionPlace,
): MessageInitShape<typeof MotionSchema> {
  const originX = column * REGION_TILES * UNITS_PER_TILE;
  const originY = row * REGION_TILES * UNITS_PER_TILE;
  return {
    ids: slots.map((slot) => table.ids[slot] as number),
    originX,
    originY,
    xs: slots.map((slot) => toUnits(table.courseXs[slot] as number) - originX),
    ys: slots.map((slot) => toUnits(table.courseYs[slot] as number) - originY),
  };
}

function velocitiesOf(
  table: EntityTable,
  slots: readonly number[],
): MessageInitShape<typeof MotionSchema> {
  return {
    ids: slots.map((slot) => table.ids[slot] as number),
    xs: slots.map((slot) => toUnits(table.courseVxs[slot] as number)),
    ys: slots.map((slot) => toUnits(table.courseVys[slot] as number)),
  };
}
