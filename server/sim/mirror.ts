import type {
  MirrorComponent,
  MirrorEntity,
  RegionFrame,
} from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import type { Motion } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { VIEWER_CLASSES } from "./components.ts";
import type { SeenCell } from "./components.ts";
import { EntityTable, UNITS_PER_TILE } from "./entity-table.ts";
import { regionKey, sameBytes } from "./region-frames.ts";
import type { RegionPlace } from "./region-frames.ts";
import type { ViewSource } from "./sight.ts";

/** A component as the frames brought it: encoded, its message unknown. */
export interface MirrorCell extends SeenCell {
  readonly type: SeenCell["type"] & { readonly typeName: string };
}

/**
 * Regions of a zone that is simulated elsewhere, as their frames tell. A viewer looks into it as into the
 * zone's own table.
 *
 * Frames of one region have to come in their order, those of different regions may come in any. `tick` is
 * the one that all regions without a gap have reached.
 */
export interface Mirror extends ViewSource {
  readonly table: EntityTable<MirrorCell>;
  /**
   * The run of the zone that it shows; 0: none yet. With a new run ids mean others, and ticks count anew:
   * viewers of the run before have to be created anew.
   */
  readonly run: number;
  /**
   * Takes a frame over. False: frames before it are missing, or the zone began anew. The region then stays
   * as it was until a complete frame comes, which is to be asked for.
   */
  apply(frame: RegionFrame): boolean;
  /** Lets go of a region that nobody looks into any more, with all that is in it. */
  forget(region: RegionPlace): void;
}

interface MirrorRegion {
  /** The tick of the last frame that was taken over. */
  tick: number;
  /** Whether every frame up to then was. */
  whole: boolean;
  readonly ids: Set<number>;
}

/** Where an entity is: a region, or none while it leaves one and may come into another. */
interface Home {
  readonly region: MirrorRegion | undefined;
  /** Since when, as far as is known: what frames say of earlier ticks is no news. */
  readonly tick: number;
}

/** A mirror that shows nothing yet, of a zone whose map has this size in tiles. */
export function createMirror(map: {
  readonly width: number;
  readonly height: number;
  readonly tickRateHz: number;
}): Mirror {
  let table = new EntityTable<MirrorCell>(map);
  let run = 0;
  let tick = 0;
  const regions = new Map<string, MirrorRegion>();
  const homes = new Map<number, Home>();
  /** Entities without a region, with the tick that all regions have to reach before they count as gone. */
  const homeless = new Map<number, number>();

  function begin(newRun: number): void {
    table = new EntityTable(map);
    run = newRun;
    tick = 0;
    regions.clear();
    homes.clear();
    homeless.clear();
  }

  function apply(frame: RegionFrame): boolean {
    if (frame.run !== run) {
      if (!frame.complete) return false;
      begin(frame.run);
    }
    const key = regionKey(frame);
    const region = regions.get(key) ?? { tick: 0, whole: false, ids: new Set<number>() };
    if (frame.tick < region.tick) return region.whole;
    if (!frame.complete) {
      if (frame.tick > region.tick + 1) region.whole = false;
      if (!region.whole) return advance(false);
    }
    regions.set(key, region);
    takeOver(frame, region);
    region.tick = frame.tick;
    region.whole = true;
    return advance(true);
  }

  function takeOver(frame: RegionFrame, region: MirrorRegion): void {
    // Later than anything that a viewer was sent, also when this region lags behind the others.
    const changeTick = Math.max(frame.tick, tick + 1);
    for (const entity of frame.entered) enter(entity, region, frame.tick, changeTick);
    const present = frame.complete ? new Set(frame.entered.map(({ id }) => id)) : undefined;
    const left = present ? [...region.ids].filter((id) => !present.has(id)) : frame.left;
    // After a gap it is not known when they left, and another region may still tell of their coming at any tick of it.
    const since = Math.min(frame.tick, region.tick + 1);
    for (const id of left) {
      if (!region.ids.delete(id)) continue;
      homes.set(id, { region: undefined, tick: since });
      homeless.set(id, frame.tick);
    }
    eachOf(frame.turned, (id, vx, vy) => {
      const slot = slotIn(region, id);
      if (slot === undefined) return;
      table.setVelocity(slot, vx, vy, frame.tick);
      tellOf(slot, frame.tick, changeTick);
    });
    eachOf(frame.moved, (id, x, y) => {
      const slot = slotIn(region, id);
      if (slot === undefined) return;
      table.setPlace(slot, x, y, frame.tick);
      tellOf(slot, frame.tick, changeTick);
    });
    for (const { id, visual, owner, components } of frame.changed) {
      const slot = slotIn(region, id);
      if (slot !== undefined) change(slot, visual, owner, components, changeTick);
    }
  }

  function tellOf(slot: number, courseTick: number, changeTick: number): void {
    showAt(table, slot, tick);
    if (changeTick === courseTick) return;
    // Viewers are told later than in the tick that it is from, and cannot reckon it then.
    table.turnedTicks[slot] = changeTick;
    table.movedTicks[slot] = changeTick;
    table.noteNews(slot, changeTick);
  }

  function enter(entity: MirrorEntity, region: MirrorRegion, at: number, changeTick: number): void {
    const { id, name, kind, visual, owner, components } = entity;
    const home = homes.get(id);
    // A region that lags behind tells what was; the entity has been elsewhere since.
    if (home && at < home.tick) return;
    home?.region?.ids.delete(id);
    region.ids.add(id);
    homes.set(id, { region, tick: at });
    homeless.delete(id);
    const { east: x, south: y, courseTick } = entity;
    const vx = entity.vx / UNITS_PER_TILE;
    const vy = entity.vy / UNITS_PER_TILE;
    const present = table.slotOf(id);
    const slot = present ?? table.add({ id, name, kind, x, y }, changeTick);
    table.setCourse(slot, { x, y, courseTick, vx, vy }, at);
    tellOf(slot, at, present === undefined ? at : changeTick);
    change(slot, visual, owner, components, changeTick);
  }

  function change(
    slot: number,
    visual: string,
    owner: string,
    components: readonly MirrorComponent[],
    changeTick: number,
  ): void {
    table.setVisual(slot, visual);
    table.own(slot, owner, changeTick);
    const cells = table.cells[slot] ?? [];
    for (const component of components) {
      if (putComponent(cells, component, changeTick)) table.noteChange(slot, changeTick);
    }
  }

  function remove(id: number): void {
    const slot = table.slotOf(id);
    if (slot !== undefined) table.remove(slot);
    homes.delete(id);
    homeless.delete(id);
  }

  /** Moves on to the tick that all regions without a gap have reached; who came into none of them until then is gone. */
  function advance(taken: boolean): boolean {
    let reached = Infinity;
    for (const region of regions.values())
      if (region.whole) reached = Math.min(reached, region.tick);
    if (reached !== Infinity && reached > tick) {
      tick = reached;
      carryOn(table, tick);
    }
    for (const [id, goneTick] of homeless) if (goneTick <= tick) remove(id);
    return taken;
  }

  function slotIn(region: MirrorRegion, id: number): number | undefined {
    return region.ids.has(id) ? table.slotOf(id) : undefined;
  }

  return {
    get table() {
      return table;
    },
    get tick() {
      return tick;
    },
    get run() {
      return run;
    },
    // Frames show whole ticks.
    settled: true,
    apply,
    forget(place) {
      const key = regionKey(place);
      for (const id of regions.get(key)?.ids ?? []) remove(id);
      regions.delete(key);
      advance(true);
    },
  };
}

/** Visits the columns of a motion, in tiles or tiles a second. */
function eachOf(
  motion: Motion | undefined,
  visit: (id: number, x: number, y: number) => void,
): void {
  if (!motion) return;
  const { ids, originX, originY, xs, ys } = motion;
  for (const [i, id] of ids.entries()) {
    visit(id, (originX + (xs[i] ?? 0)) / UNITS_PER_TILE, (originY + (ys[i] ?? 0)) / UNITS_PER_TILE);
  }
}

/** Puts those who are under way where they are shown at a tick. */
function carryOn(table: EntityTable<MirrorCell>, tick: number): void {
  for (let slot = 0; slot < table.limit; slot++) {
    if (table.ids[slot] === 0) continue;
    if (table.courseVxs[slot] === 0 && table.courseVys[slot] === 0) continue;
    showAt(table, slot, tick);
  }
}

/** Puts an entity where viewers see it at a tick. */
function showAt(table: EntityTable<MirrorCell>, slot: number, tick: number): void {
  table.show(slot, tick);
  table.place(slot, table.seenXs[slot] as number, table.seenYs[slot] as number);
}

/** Puts a component into place; whether it is new to any class of viewers comes back. */
function putComponent(
  cells: MirrorCell[],
  { type: typeName, near, party, owner, seenBy: bits }: MirrorComponent,
  tick: number,
): boolean {
  let cell = cells.find(({ type }) => type.typeName === typeName);
  if (!cell) {
    const seenBy = [(bits & 1) !== 0, (bits & 2) !== 0, (bits & 4) !== 0] as const;
    cell = {
      type: { typeName, seenBy },
      changedTicks: [tick, tick, tick],
      encoded: [undefined, undefined, undefined],
    };
    cells.push(cell);
  }
  let isNew = false;
  let bytes: Uint8Array | undefined;
  for (const viewer of VIEWER_CLASSES) {
    const own = [near, party, owner][viewer] as Uint8Array;
    // What is left empty is the same as for the class before.
    if (own.length > 0) bytes = own;
    if (!cell.type.seenBy[viewer] || sameBytes(bytes, cell.encoded[viewer])) continue;
    cell.encoded[viewer] = bytes;
    cell.changedTicks[viewer] = tick;
    isNew = true;
  }
  return isNew;
}
