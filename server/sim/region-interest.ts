import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { SeenCell } from "./components.ts";
import type { EntityTable } from "./entity-table.ts";
import { REGION_TILES } from "./region-frames.ts";
import type { RegionPlace } from "./region-frames.ts";

/** How much farther than a character sees its regions are told, in tiles: what is shown of a place may be a little off. */
export const NEAR_MARGIN_TILES = 2;
/** And from how far on no longer, in tiles: who walks along a border is not told a region in full again and again. */
export const FAR_MARGIN_TILES = 10;

/** Which regions of a zone the characters in it look into. */
export interface RegionInterest {
  /** The regions to be told of the present tick, in the order of their rows. To be asked once a tick. */
  regions(): RegionPlace[];
}

/** How near the nearest character is to a region: not at all, far, or so near that it may look into it. */
const FAR = 1;
const NEAR = 2;

/**
 * The interest of all characters of a zone, who see `radius` tiles far. Everybody through whose eyes somebody looks is a character of
 * the zone, so nobody needs to tell who looks where. The map's size is in tiles.
 */
export function createRegionInterest(options: {
  source: { readonly table: EntityTable<SeenCell> };
  radius: number;
  mapWidth: number;
  mapHeight: number;
}): RegionInterest {
  const { source, radius } = options;
  const columns = Math.max(1, Math.ceil(options.mapWidth / REGION_TILES));
  const rows = Math.max(1, Math.ceil(options.mapHeight / REGION_TILES));
  const wanted = new Uint8Array(columns * rows);
  const marks = new Uint8Array(columns * rows);

  function mark(x: number, y: number, reach: number, value: number): void {
    const east = cell(x + reach, columns);
    const south = cell(y + reach, rows);
    for (let row = cell(y - reach, rows); row <= south; row++) {
      for (let column = cell(x - reach, columns); column <= east; column++) {
        const index = row * columns + column;
        if ((marks[index] as number) < value) marks[index] = value;
      }
    }
  }

  return {
    regions() {
      const { table } = source;
      marks.fill(0);
      for (let slot = 0; slot < table.limit; slot++) {
        if (table.ids[slot] === 0 || table.kinds[slot] !== EntityKind.CHARACTER) continue;
        const x = table.xs[slot] as number;
        const y = table.ys[slot] as number;
        mark(x, y, radius + FAR_MARGIN_TILES, FAR);
        mark(x, y, radius + NEAR_MARGIN_TILES, NEAR);
      }
      const regions: RegionPlace[] = [];
      for (const [index, value] of marks.entries()) {
        const isWanted = value === NEAR || (value === FAR && wanted[index] === 1);
        wanted[index] = isWanted ? 1 : 0;
        if (isWanted) regions.push({ column: index % columns, row: Math.floor(index / columns) });
      }
      return regions;
    },
  };
}

function cell(tiles: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(tiles / REGION_TILES)));
}
