import { MAP_TILES, VIEW_RADIUS_TILES } from "./rules.ts";
import type { Place } from "./rules.ts";

/** The homes stand at least so far from the edge of the map, so that nobody ever walks into it. */
const MARGIN_TILES = 12;
/** The side of the square in which all stand when they are in one camp. */
const CAMP_TILES = 4;
/** Halvings of the search for the side of the square that gives the wanted neighbours. */
const SIDE_SEARCH_STEPS = 16;
/** Places closer than this to the edge of somebody's view may fall on either side by rounding. */
const EDGE_TILES = 1 / 128;

/** How many others a player sees on average; `camp`: everybody sees everybody. */
export type Neighbours = number | "camp";

/** Where everybody lives: the same for every candidate, since it follows from the two numbers alone. */
export interface Scenario {
  readonly homes: readonly Place[];
  /** The side of the square that the homes stand in, in tiles. */
  readonly side: number;
  /** Players that one sees from home, itself included, while all stand at home: at least and at most. */
  seenFromHome(player: number): { readonly least: number; readonly most: number };
  /** Players that one sees on average, itself included. */
  readonly meanSeen: number;
}

/** Lays out a world in which players see about so many others. Throws when it does not fit onto the map. */
export function createScenario(options: {
  readonly players: number;
  readonly neighbours: Neighbours;
}): Scenario {
  const { players, neighbours } = options;
  const random = createRandom(players);
  const spots = Array.from({ length: players }, () => ({ x: random(), y: random() }));
  const side = neighbours === "camp" ? CAMP_TILES : findSide(spots, neighbours);
  if (side + 2 * MARGIN_TILES > MAP_TILES) {
    throw new Error(`${players} players with ${neighbours} neighbours do not fit onto the map`);
  }
  const homes = scale(spots, side);
  return {
    homes,
    side,
    seenFromHome: (player) => ({
      least: countNear(homes, player, VIEW_RADIUS_TILES - EDGE_TILES),
      most: countNear(homes, player, VIEW_RADIUS_TILES + EDGE_TILES),
    }),
    meanSeen: meanNear(homes),
  };
}

/** A generator of numbers from 0 to 1 (mulberry32): the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function scale(spots: readonly Place[], side: number): Place[] {
  return spots.map(({ x, y }) => ({ x: MARGIN_TILES + x * side, y: MARGIN_TILES + y * side }));
}

function findSide(spots: readonly Place[], neighbours: number): number {
  let least = CAMP_TILES;
  let most = MAP_TILES;
  for (let step = 0; step < SIDE_SEARCH_STEPS; step++) {
    const side = (least + most) / 2;
    if (meanNear(scale(spots, side)) - 1 > neighbours) least = side;
    else most = side;
  }
  return most;
}

function meanNear(homes: readonly Place[]): number {
  let sum = 0;
  for (let player = 0; player < homes.length; player++) {
    sum += countNear(homes, player, VIEW_RADIUS_TILES);
  }
  return sum / Math.max(1, homes.length);
}

function countNear(homes: readonly Place[], player: number, radius: number): number {
  const { x, y } = homes[player] as Place;
  let count = 0;
  for (const home of homes) {
    const dx = home.x - x;
    const dy = home.y - y;
    if (dx * dx + dy * dy <= radius * radius) count++;
  }
  return count;
}
