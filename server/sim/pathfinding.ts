import { createHeap } from "./heap.ts";
import { passesFree, standsFree } from "./movement.ts";
import type { Ground, Place } from "./movement.ts";

/** Tiles that one search looks at before it gives up. */
export const MAX_SEARCHED_TILES = 20_000;

const STEPS = [
  [1, 0, 1],
  [-1, 0, 1],
  [0, 1, 1],
  [0, -1, 1],
  [1, 1, Math.SQRT2],
  [1, -1, Math.SQRT2],
  [-1, 1, Math.SQRT2],
  [-1, -1, Math.SQRT2],
] as const;

/**
 * The places to pass on the way to a destination, the destination last; undefined when no way is found
 * among the first {@link MAX_SEARCHED_TILES} tiles. A* over tile middles (Hart, Nilsson, Raphael 1968)
 * with the octile distance, corners not cut, then straightened wherever the circle passes.
 */
export function findPath(
  ground: Ground,
  from: Place,
  to: Place,
  radius: number,
): Place[] | undefined {
  if (!standsFree(ground, to.x, to.y, radius)) return undefined;
  if (passesFree(ground, from, to, radius)) return [to];
  const tiles = searchTiles(ground, from, to);
  if (tiles === undefined) return undefined;
  return straighten(ground, from, [...tiles, to], radius);
}

function searchTiles(ground: Ground, from: Place, to: Place): Place[] | undefined {
  const { width } = ground;
  const start = Math.floor(from.y) * width + Math.floor(from.x);
  const goalX = Math.floor(to.x);
  const goalY = Math.floor(to.y);
  const goal = goalY * width + goalX;
  const cost = new Map<number, number>([[start, 0]]);
  const cameFrom = new Map<number, number>();
  const closed = new Set<number>();
  const open = createHeap();
  open.push(start, 0);

  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === goal) return tracePath(cameFrom, node, width);
    if (closed.has(node)) continue;
    closed.add(node);
    if (closed.size > MAX_SEARCHED_TILES) return undefined;
    const x = node % width;
    const y = (node - x) / width;
    for (const [dx, dy, length] of STEPS) {
      if (ground.blocked(x + dx, y + dy)) continue;
      if (dx !== 0 && dy !== 0 && (ground.blocked(x + dx, y) || ground.blocked(x, y + dy))) {
        continue;
      }
      const next = (y + dy) * width + x + dx;
      const total = (cost.get(node) as number) + length;
      if (total >= (cost.get(next) ?? Infinity)) continue;
      cost.set(next, total);
      cameFrom.set(next, node);
      open.push(next, total + octile(goalX - x - dx, goalY - y - dy));
    }
  }
  return undefined;
}

function octile(dx: number, dy: number): number {
  const a = Math.abs(dx);
  const b = Math.abs(dy);
  return Math.max(a, b) + (Math.SQRT2 - 1) * Math.min(a, b);
}

function tracePath(cameFrom: Map<number, number>, last: number, width: number): Place[] {
  const places: Place[] = [];
  for (let node: number | undefined = last; node !== undefined; node = cameFrom.get(node)) {
    const x = node % width;
    places.push({ x: x + 0.5, y: (node - x) / width + 0.5 });
  }
  return places.reverse();
}

function straighten(ground: Ground, from: Place, places: Place[], radius: number): Place[] {
  const kept: Place[] = [];
  let anchor = from;
  for (let i = 0; i < places.length; i++) {
    const next = places[i + 1];
    if (next !== undefined && passesFree(ground, anchor, next, radius)) continue;
    const place = places[i] as Place;
    kept.push(place);
    anchor = place;
  }
  return kept;
}
