/**
 * The rules of walking: pure functions of numbers, compiled into the server and into clients, so that
 * a client predicts with the server's own rules. All lengths are in tiles, times in seconds.
 */

/** What can be walked on. */
export interface Ground {
  readonly width: number;
  readonly height: number;
  /** Whether the tile cannot be walked on. Tiles outside the map cannot. */
  blocked(x: number, y: number): boolean;
}

/** The longest single offset. It is also the most that can be saved up by standing still. */
export const MAX_OFFSET_TILES = 1.5;
/** The furthest destination that a way is looked for, in a straight line. */
export const MAX_DESTINATION_TILES = 256;
/** The largest radius of a walker: wider ones do not fit through a gap of one tile. */
export const MAX_RADIUS_TILES = 0.5;
/** Steps of a sweep are at most this long, so that nothing passes through a corner. */
const SWEEP_STEP_TILES = 0.2;
/** Slack in comparisons of lengths: the rounding of the wire is 1/256 tile. */
export const EPSILON_TILES = 1 / 512;

/** What a circle may enter a barrier by, squared: rounding errors, or a circle as wide as a gap would get stuck in it. */
const TOUCH_TILES_SQUARED = 1e-9;

/** A place in the plane. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** How far two places are apart, in tiles. */
export function distance(a: Place, b: Place): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  return Math.sqrt(dx * dx + dy * dy);
}

/** Whether a circle touches no barrier. */
export function standsFree(ground: Ground, x: number, y: number, radius: number): boolean {
  const west = Math.floor(x - radius);
  const east = Math.floor(x + radius);
  const north = Math.floor(y - radius);
  const south = Math.floor(y + radius);
  for (let row = north; row <= south; row++) {
    for (let column = west; column <= east; column++) {
      if (!ground.blocked(column, row)) continue;
      const dx = x - Math.min(Math.max(x, column), column + 1);
      const dy = y - Math.min(Math.max(y, row), row + 1);
      if (dx * dx + dy * dy < radius * radius - TOUCH_TILES_SQUARED) return false;
      if (dx === 0 && dy === 0) return false;
    }
  }
  return true;
}

/** Whether a circle can go straight from one place to another without touching a barrier. */
export function passesFree(ground: Ground, from: Place, to: Place, radius: number): boolean {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const steps = Math.max(1, Math.ceil(Math.sqrt(dx * dx + dy * dy) / SWEEP_STEP_TILES));
  for (let i = 1; i <= steps; i++) {
    const part = i / steps;
    if (!standsFree(ground, from.x + dx * part, from.y + dy * part, radius)) return false;
  }
  return true;
}

/**
 * Where a circle comes to that wants to go by (dx, dy) and slides along what is in the way.
 * `isFree` says whether it may stand at a place; it is asked for barriers and for other walkers alike.
 */
export function slide(
  from: Place,
  dx: number,
  dy: number,
  isFree: (x: number, y: number) => boolean,
): Place {
  const steps = Math.max(1, Math.ceil(Math.sqrt(dx * dx + dy * dy) / SWEEP_STEP_TILES));
  const stepX = dx / steps;
  const stepY = dy / steps;
  let { x, y } = from;
  for (let i = 0; i < steps; i++) {
    if (isFree(x + stepX, y + stepY)) {
      x += stepX;
      y += stepY;
    } else if (stepX !== 0 && isFree(x + stepX, y)) {
      x += stepX;
    } else if (stepY !== 0 && isFree(x, y + stepY)) {
      y += stepY;
    } else {
      break;
    }
  }
  return { x, y };
}

/** A direction with its length cut to 1. */
export function clampDirection(x: number, y: number): Place {
  const length = Math.sqrt(x * x + y * y);
  return length > 1 ? { x: x / length, y: y / length } : { x, y };
}

/** The allowance for offsets after a time at a speed: what was saved up, at most {@link MAX_OFFSET_TILES}. */
export function refillAllowance(allowance: number, speed: number, seconds: number): number {
  return Math.min(MAX_OFFSET_TILES, allowance + speed * seconds);
}
