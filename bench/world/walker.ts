import { SPEED_TILES_PER_S } from "./rules.ts";
import type { Place } from "./rules.ts";
import { createRandom } from "./scenario.ts";

/** Beyond this distance from home, in tiles, a player turns back, so that the density of the world stays. */
const WANDER_TILES = 4;
/** The most that a player turns by with one Move, in radians. */
const TURN_RADIANS = 1.5;
/** The part of the full speed at which players stroll who send no Moves: so slow that they stay near home. */
const STROLL_SPEED = 0.1;

/** One player's random walk about home, the same for every candidate. */
export interface Walker {
  /** The direction of the next Move. */
  next(nowMs: number): Place;
  /** A direction to stroll in for a while, slowly. */
  stroll(nowMs: number): Place;
}

/** A walker who stands at home. */
export function createWalker(options: { readonly seed: number; readonly home: Place }): Walker {
  const { home } = options;
  const random = createRandom(options.seed * 7919 + 1);
  let { x, y } = home;
  let direction: Place = { x: 0, y: 0 };
  let angle = random() * 2 * Math.PI;
  let lastMs = 0;

  /** Where the server should have it by now: near enough, since it only decides where to turn. */
  function advance(nowMs: number): void {
    const tiles = ((nowMs - lastMs) / 1000) * SPEED_TILES_PER_S;
    lastMs = nowMs;
    x += direction.x * tiles;
    y += direction.y * tiles;
  }

  function go(speed: number): Place {
    direction = { x: Math.cos(angle) * speed, y: Math.sin(angle) * speed };
    return direction;
  }

  return {
    next(nowMs) {
      advance(nowMs);
      const dx = home.x - x;
      const dy = home.y - y;
      if (dx * dx + dy * dy > WANDER_TILES * WANDER_TILES) angle = Math.atan2(dy, dx);
      else angle += (random() * 2 - 1) * TURN_RADIANS;
      return go(1);
    },
    stroll(nowMs) {
      advance(nowMs);
      angle = Math.atan2(home.y - y, home.x - x) + (random() - 0.5);
      return go(STROLL_SPEED);
    },
  };
}
