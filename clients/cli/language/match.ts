import type { WorldEntity } from "../../ts/index.ts";

/**
 * The entities that somebody may mean, the best kind of match alone: an id, a name, the beginning of an id or of a name, a part of a name. Capitals do not matter.
 */
export function matchEntities(entities: Iterable<WorldEntity>, text: string): WorldEntity[] {
  const wanted = text.toLowerCase();
  const all = [...entities];
  const tests: ((entity: WorldEntity) => boolean)[] = [
    ({ id }) => `${id}` === wanted,
    ({ name }) => name.toLowerCase() === wanted,
    ({ id, name }) => `${id}`.startsWith(wanted) || name.toLowerCase().startsWith(wanted),
    ({ name }) => name.toLowerCase().includes(wanted),
  ];
  for (const test of tests) {
    const found = all.filter(test);
    if (found.length > 0) return found.toSorted((a, b) => a.name.localeCompare(b.name));
  }
  return [];
}

/** How far one place is from another, in tiles. */
export function distanceBetween(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

const WINDS = [
  "east",
  "south-east",
  "south",
  "south-west",
  "west",
  "north-west",
  "north",
  "north-east",
];

/** Where a place lies from another one, in words. */
export function windTo(from: Place, to: Place): string {
  const eighth = Math.round(Math.atan2(to.y - from.y, to.x - from.x) / (Math.PI / 4));
  return WINDS[(eighth + 8) % 8] ?? "";
}

interface Place {
  readonly x: number;
  readonly y: number;
}
