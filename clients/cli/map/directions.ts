/** A direction of full speed: its length is 1. */
export interface Direction {
  readonly x: number;
  readonly y: number;
}

const DIAGONAL = Math.SQRT1_2;

const DIRECTIONS: ReadonlyMap<string, Direction> = new Map([
  ["north", { x: 0, y: -1 }],
  ["east", { x: 1, y: 0 }],
  ["south", { x: 0, y: 1 }],
  ["west", { x: -1, y: 0 }],
  ["northeast", { x: DIAGONAL, y: -DIAGONAL }],
  ["southeast", { x: DIAGONAL, y: DIAGONAL }],
  ["southwest", { x: -DIAGONAL, y: DIAGONAL }],
  ["northwest", { x: -DIAGONAL, y: -DIAGONAL }],
]);

const SHORT: ReadonlyMap<string, string> = new Map([
  ["n", "north"],
  ["e", "east"],
  ["s", "south"],
  ["w", "west"],
  ["ne", "northeast"],
  ["se", "southeast"],
  ["sw", "southwest"],
  ["nw", "northwest"],
  ["up", "north"],
  ["right", "east"],
  ["down", "south"],
  ["left", "west"],
]);

/** Keys that walk on the live map, by the names that Node gives them: arrows, w a s d, and h j k l y u b n as in vi. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["up", "north"],
  ["down", "south"],
  ["left", "west"],
  ["right", "east"],
  ["w", "north"],
  ["a", "west"],
  ["s", "south"],
  ["d", "east"],
  ["k", "north"],
  ["h", "west"],
  ["j", "south"],
  ["l", "east"],
  ["y", "northwest"],
  ["u", "northeast"],
  ["b", "southwest"],
  ["n", "southeast"],
]);

/** The direction of a word: `north`, `n`, `north-east`, `ne`, `up`. */
export function directionOf(word: string): Direction | undefined {
  const plain = word.toLowerCase().replaceAll("-", "");
  return DIRECTIONS.get(SHORT.get(plain) ?? plain);
}

/** The direction that a key walks in. */
export function directionOfKey(key: string): Direction | undefined {
  return DIRECTIONS.get(KEYS.get(key) ?? "");
}

/** The full names of the directions. */
export function directionNames(): string[] {
  return [...DIRECTIONS.keys()];
}
