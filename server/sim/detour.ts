import { createHeap } from "./heap.ts";
import { distance } from "./movement.ts";
import type { Place } from "./movement.ts";

/** Half the edge of the square in which a detour is looked for, in tiles. */
const DETOUR_TILES = 4;
/** Distance between the places that a detour is made of, in tiles: wider ones miss gaps that a walker fits through. */
const STEP_TILES = 0.2;
/** Straight lines are checked at places this far apart, in tiles. */
const CHECK_TILES = 0.2;
const REACH = Math.round(DETOUR_TILES / STEP_TILES);
const SIDE = 2 * REACH + 1;

/**
 * The places of a way past those who stand about: to the target, or, when it is further than the square around
 * the beginning, out of the square. Undefined when there is none. A* on a lattice that begins exactly at
 * `from`, so that it sees gaps between circles that the middles of tiles do not. `isFree` says where one may stand.
 */
export function findDetour(
  from: Place,
  target: Place,
  isFree: (x: number, y: number) => boolean,
): Place[] | undefined {
  const placeAt = (node: number): Place => ({
    x: from.x + ((node % SIDE) - REACH) * STEP_TILES,
    y: from.y + (Math.floor(node / SIDE) - REACH) * STEP_TILES,
  });
  const isInside =
    Math.max(Math.abs(target.x - from.x), Math.abs(target.y - from.y)) <= DETOUR_TILES;
  const isGoal = (node: number) =>
    isInside ? distance(placeAt(node), target) <= STEP_TILES : isAtEdge(node);
  const last = search(placeAt, target, isGoal, isFree);
  if (last === undefined) return undefined;
  const places = last.map(placeAt);
  if (isInside) places.push(target);
  return straighten(from, places, isFree);
}

/** The nodes of the way, the beginning left out. */
function search(
  placeAt: (node: number) => Place,
  target: Place,
  isGoal: (node: number) => boolean,
  isFree: (x: number, y: number) => boolean,
): number[] | undefined {
  const start = REACH * SIDE + REACH;
  const cost = new Float64Array(SIDE * SIDE).fill(Infinity);
  const cameFrom = new Int32Array(SIDE * SIDE).fill(-1);
  const closed = new Uint8Array(SIDE * SIDE);
  const open = createHeap();
  cost[start] = 0;
  open.push(start, 0);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (closed[node]) continue;
    closed[node] = 1;
    if (isGoal(node)) return trace(cameFrom, node);
    const column = node % SIDE;
    const row = Math.floor(node / SIDE);
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const x = column + dx;
        const y = row + dy;
        if (x < 0 || y < 0 || x >= SIDE || y >= SIDE) continue;
        const next = y * SIDE + x;
        const total = (cost[node] as number) + STEP_TILES * (dx !== 0 && dy !== 0 ? Math.SQRT2 : 1);
        if (closed[next] || total >= (cost[next] as number)) continue;
        const place = placeAt(next);
        if (!isFree(place.x, place.y)) continue;
        cost[next] = total;
        cameFrom[next] = node;
        open.push(next, total + distance(place, target));
      }
    }
  }
  return undefined;
}

function isAtEdge(node: number): boolean {
  const column = node % SIDE;
  const row = Math.floor(node / SIDE);
  return column === 0 || row === 0 || column === SIDE - 1 || row === SIDE - 1;
}

function trace(cameFrom: Int32Array, last: number): number[] {
  const nodes: number[] = [];
  for (let node = last; (cameFrom[node] as number) >= 0; node = cameFrom[node] as number) {
    nodes.push(node);
  }
  return nodes.reverse();
}

function straighten(
  from: Place,
  places: readonly Place[],
  isFree: (x: number, y: number) => boolean,
): Place[] {
  const kept: Place[] = [];
  let anchor = from;
  for (const [i, place] of places.entries()) {
    const next = places[i + 1];
    if (next !== undefined && passes(anchor, next, isFree)) continue;
    kept.push(place);
    anchor = place;
  }
  return kept;
}

function passes(from: Place, to: Place, isFree: (x: number, y: number) => boolean): boolean {
  const steps = Math.max(1, Math.ceil(distance(from, to) / CHECK_TILES));
  for (let i = 1; i <= steps; i++) {
    const part = i / steps;
    if (!isFree(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part)) return false;
  }
  return true;
}
