import type { Portal, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Place, TestPlayer, Watcher } from "./player.ts";

/** Positions on the wire are rounded to this part of a tile. */
export const UNIT_TILES = 1 / 256;
/** After so many ticks without arriving a walk is begun again: somebody may have stood in the way. */
const PATIENCE_TICKS = 12;

/** Whether two places are the same as far as the wire can tell. */
export function isSamePlace(a: Place | undefined, b: Place | undefined): boolean {
  if (!a || !b) return false;
  return Math.abs(a.x - b.x) <= UNIT_TILES && Math.abs(a.y - b.y) <= UNIT_TILES;
}

/** How far two places are from each other, in tiles. */
export function distance(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Whether a tile cannot be walked on. */
export function isBlocked(map: ZoneMap, x: number, y: number): boolean {
  if (x < 0 || y < 0 || x >= map.width || y >= map.height) return true;
  const place = y * map.width + x;
  return (((map.barriers[place >> 3] ?? 0) >> (place & 7)) & 1) === 1;
}

/** Middles of tiles with nothing but free tiles around, the nearest first. */
export function openPlaces(
  map: ZoneMap,
  from: Place,
  range: { atLeast: number; atMost: number },
): Place[] {
  const places: Place[] = [];
  for (let y = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++) {
      const place = { x: x + 0.5, y: y + 0.5 };
      const far = distance(place, from);
      if (far < range.atLeast || far > range.atMost) continue;
      const around = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [x + dx, y + dy] as const));
      if (around.every(([column, row]) => !isBlocked(map, column, row))) places.push(place);
    }
  }
  return places.sort((a, b) => distance(a, from) - distance(b, from));
}

/** Open places to which a straight way leads that passes neither a barrier nor anybody in view, the nearest first. */
export function clearPlaces(
  map: ZoneMap,
  { view }: Watcher,
  from: Place,
  range: { atLeast: number; atMost: number },
): Place[] {
  const others = [...view.entities.values()]
    .map(({ position }) => position)
    .filter((place) => !isSamePlace(place, from));
  return openPlaces(map, from, range).filter((to) => {
    const steps = Math.ceil(distance(from, to) * 4);
    return Array.from({ length: steps + 1 }, (_, i) => ({
      x: from.x + ((to.x - from.x) * i) / steps,
      y: from.y + ((to.y - from.y) * i) / steps,
    })).every(
      (place) =>
        [-0.5, 0.5].every((dx) =>
          [-0.5, 0.5].every(
            (dy) => !isBlocked(map, Math.floor(place.x + dx), Math.floor(place.y + dy)),
          ),
        ) &&
        others.every(
          (other) => distance(other, place) > Math.min(1.5, distance(other, from) - 0.1),
        ),
    );
  });
}

/** The map of a zone as it is now. */
export async function mapOf(player: TestPlayer, zone = ""): Promise<ZoneMap> {
  const { map } = await player.zone.getMap({ zone });
  if (!map) throw new Error(`no map of ${zone}`);
  return map;
}

/** The portal of a map that leads to a zone, and the middle of its region. */
export function portalTo(map: ZoneMap, zone: string): { portal: Portal; middle: Place } {
  const portal = map.portals.find(({ targetZone }) => targetZone === zone);
  if (!portal?.region) throw new Error(`${map.zone} has no portal to ${zone}`);
  const { x, y, width, height } = portal.region;
  return { portal, middle: { x: x + width / 2, y: y + height / 2 } };
}

/** Walks to a place by destination, and resolves when the stream shows the character there. */
export async function walkTo(player: TestPlayer, watcher: Watcher, place: Place): Promise<void> {
  const there = () => isSamePlace(watcher.view.self?.position, place);
  await walkUntil(player, watcher, place, `arriving at ${place.x}, ${place.y}`, there);
}

/** Walks towards a place by destination until a condition holds. */
export async function walkUntil(
  player: TestPlayer,
  watcher: Watcher,
  place: Place,
  what: string,
  condition: () => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < 10 && !condition(); attempt++) {
    const { moved, refusal } = await player.move("destination", place);
    if (!moved) throw new Error(`the way to ${place.x}, ${place.y} was refused: ${refusal}`);
    const from = watcher.view.tick;
    const scenes = watcher.scenes.length;
    const isOver = () =>
      condition() || watcher.scenes.length > scenes || watcher.view.tick > from + PATIENCE_TICKS;
    // A long way at a slow pace takes longer: as long as it goes on, it is waited for.
    await watcher.until(what, () => isOver() && (condition() || isStill(watcher)));
  }
  if (!condition()) {
    const { self, entities } = watcher.view;
    const near = [...entities.values()].filter(
      (entity) => self && distance(entity.position, self.position) < 3,
    );
    const places = near.map(({ name, position }) => `${name} ${position.x} ${position.y}`);
    throw new Error(`in vain: ${what}; ${places.join(", ")}`);
  }
}

function isStill({ view }: Watcher): boolean {
  const { x, y } = view.self?.velocity ?? { x: 0, y: 0 };
  return x === 0 && y === 0;
}

/** Steps by an offset of half a tile to whichever side is free. */
export async function stepSomewhere(player: TestPlayer): Promise<MoveResponse> {
  for (const [x, y] of [
    [0.5, 0],
    [0, 0.5],
    [-0.5, 0],
    [0, -0.5],
  ] as const) {
    const answer = await player.move("offset", { x, y });
    if (answer.moved) return answer;
  }
  throw new Error(`${player.name} cannot step anywhere`);
}

/** Walks until the stream shows the character half a tile away: somebody may stand in one way or another, so it tries several. */
export async function walkSomewhere(player: TestPlayer, watcher: Watcher): Promise<void> {
  const { position: from } = await watcher.until("herself", () => watcher.view.self);
  const map = await mapOf(player);
  const range = { atLeast: 1, atMost: 8 };
  const places = [...clearPlaces(map, watcher, from, range), ...openPlaces(map, from, range)];
  const isAway = () => distance(watcher.view.self?.position ?? from, from) > 0.5;
  for (const place of places) {
    await player.move("destination", place);
    const { tick } = watcher.view;
    await watcher.until("a walk", () => isAway() || watcher.view.tick > tick + PATIENCE_TICKS);
    if (isAway()) return;
  }
  throw new Error(`${player.name} cannot walk anywhere`);
}
