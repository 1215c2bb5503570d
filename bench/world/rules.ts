/** What every candidate's world has in common. */

/** Ticks of the world a second. */
export const TICK_RATE_HZ = 10;
/** The time between two ticks, in milliseconds. */
export const TICK_MS = 1000 / TICK_RATE_HZ;
/** How far a player sees, in tiles. */
export const VIEW_RADIUS_TILES = 20;
/** How fast a player walks. */
export const SPEED_TILES_PER_S = 4;
/** Places travel as whole numbers of this part of a tile. */
export const UNITS_PER_TILE = 256;
/** Columns and rows of the plain. */
export const MAP_TILES = 1024;

/** A place or a direction in the plane, in tiles. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A place as it travels: in whole units. */
export function toUnits(tiles: number): number {
  return Math.round(tiles * UNITS_PER_TILE);
}

/** The name of a player. */
export function playerName(player: number): string {
  return `p${player}`;
}

/** The player of a name; NaN when it is none's. */
export function playerOf(name: string): number {
  return name.startsWith("p") ? Number(name.slice(1)) : Number.NaN;
}
