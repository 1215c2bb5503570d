import {
  MAP_TILES,
  SPEED_TILES_PER_S,
  TICK_RATE_HZ,
  VIEW_RADIUS_TILES,
  toUnits,
  UNITS_PER_TILE,
} from "./rules.ts";
import type { Place } from "./rules.ts";

/** The edge of a cell of the grid: half the view, so that few are looked at in vain. */
const CELL_TILES = VIEW_RADIUS_TILES / 2;
const COLUMNS = Math.ceil(MAP_TILES / CELL_TILES);

/** What a viewer is to be told after a tick, as players. */
export interface Sight {
  readonly entered: readonly number[];
  /** Known before, with a new velocity. */
  readonly turned: readonly number[];
  readonly left: readonly number[];
}

/** The world as the peers simulate it: players who walk in directions, and a uniform grid to see who is near. */
export interface PlainWorld {
  /** Ticks stepped. */
  readonly tick: number;
  /** Places in units of the wire, by player. */
  readonly xs: Int32Array;
  readonly ys: Int32Array;
  /** Velocities in units of the wire a second, by player. */
  readonly vxs: Int32Array;
  readonly vys: Int32Array;
  join(player: number): void;
  leave(player: number): void;
  /** Walks in a direction until the next one; lengths above 1 count as 1. */
  move(player: number, dx: number, dy: number): void;
  step(): void;
  /** What changed for a player since its last look. */
  look(player: number): Sight;
}

/** A world without players in it. */
export function createPlainWorld(homes: readonly Place[]): PlainWorld {
  const count = homes.length;
  const px = Float64Array.from(homes, ({ x }) => x);
  const py = Float64Array.from(homes, ({ y }) => y);
  const dxs = new Float64Array(count);
  const dys = new Float64Array(count);
  const xs = Int32Array.from(homes, ({ x }) => toUnits(x));
  const ys = Int32Array.from(homes, ({ y }) => toUnits(y));
  const vxs = new Int32Array(count);
  const vys = new Int32Array(count);
  const turnedTicks = new Int32Array(count);
  const present = new Uint8Array(count);
  const known = Array.from({ length: count }, () => new Map<number, number>());
  const heads = new Int32Array(COLUMNS * COLUMNS);
  const nexts = new Int32Array(count);
  let tick = 0;

  function cell(tiles: number): number {
    return Math.min(COLUMNS - 1, Math.max(0, Math.floor(tiles / CELL_TILES)));
  }

  function walk(player: number): void {
    const dx = dxs[player] as number;
    const dy = dys[player] as number;
    const vx = toUnits(dx * SPEED_TILES_PER_S);
    const vy = toUnits(dy * SPEED_TILES_PER_S);
    if (vx !== vxs[player] || vy !== vys[player]) {
      vxs[player] = vx;
      vys[player] = vy;
      turnedTicks[player] = tick;
    }
    if (dx === 0 && dy === 0) return;
    const x = px[player] as number;
    const y = py[player] as number;
    px[player] = x + (dx * SPEED_TILES_PER_S) / TICK_RATE_HZ;
    py[player] = y + (dy * SPEED_TILES_PER_S) / TICK_RATE_HZ;
    xs[player] = toUnits(px[player]);
    ys[player] = toUnits(py[player]);
  }

  function buildGrid(): void {
    heads.fill(-1);
    for (let player = 0; player < count; player++) {
      if (!present[player]) continue;
      const at = cell(py[player] as number) * COLUMNS + cell(px[player] as number);
      nexts[player] = heads[at] as number;
      heads[at] = player;
    }
  }

  function around(viewer: number, visit: (player: number) => void): void {
    const x = px[viewer] as number;
    const y = py[viewer] as number;
    const reach = (VIEW_RADIUS_TILES * UNITS_PER_TILE) ** 2;
    const east = cell(x + VIEW_RADIUS_TILES);
    const south = cell(y + VIEW_RADIUS_TILES);
    for (let row = cell(y - VIEW_RADIUS_TILES); row <= south; row++) {
      for (let column = cell(x - VIEW_RADIUS_TILES); column <= east; column++) {
        let player = heads[row * COLUMNS + column] as number;
        for (; player >= 0; player = nexts[player] as number) {
          const dx = (xs[player] as number) - (xs[viewer] as number);
          const dy = (ys[player] as number) - (ys[viewer] as number);
          if (dx * dx + dy * dy <= reach) visit(player);
        }
      }
    }
  }

  return {
    get tick() {
      return tick;
    },
    xs,
    ys,
    vxs,
    vys,
    join(player) {
      present[player] = 1;
      known[player]?.clear();
    },
    leave(player) {
      present[player] = 0;
    },
    move(player, dx, dy) {
      const length = Math.max(1, Math.sqrt(dx * dx + dy * dy));
      dxs[player] = dx / length;
      dys[player] = dy / length;
    },
    step() {
      tick++;
      for (let player = 0; player < count; player++) if (present[player]) walk(player);
      buildGrid();
    },
    look(viewer) {
      const seen = known[viewer] as Map<number, number>;
      const entered: number[] = [];
      const turned: number[] = [];
      const left: number[] = [];
      around(viewer, (player) => {
        if (!seen.has(player)) entered.push(player);
        else if (turnedTicks[player] === tick) turned.push(player);
        seen.set(player, tick);
      });
      for (const [player, at] of seen) {
        if (at === tick) continue;
        left.push(player);
        seen.delete(player);
      }
      return { entered, turned, left };
    },
  };
}
