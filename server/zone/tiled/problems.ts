/** How many problems of a file are told in full; the rest is only counted. */
export const MAX_PROBLEMS_SHOWN = 20;

/** What is wrong with one or several map files: one line a problem, each with file, layer and place. */
export class MapError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], left = 0) {
    const more = left > 0 ? [`… and ${left} more`] : [];
    super([...problems, ...more].join("\n"));
    this.name = "MapError";
    this.problems = problems;
  }
}

/** Collects what is wrong with a file, so that its maker sees everything at once. */
export interface Problems {
  /** Notes a problem at this place. */
  add(text: string): void;
  /** The same collection, for a place inside this one. */
  within(place: string): Problems;
  /** How many were noted so far, here and elsewhere in the file. */
  count(): number;
  /** Throws a {@link MapError} with all of them when there are any. */
  throwIfAny(): void;
}

/** Starts an empty collection for a file. */
export function createProblems(file: string): Problems {
  const shown: string[] = [];
  let total = 0;
  const at = (place: string): Problems => ({
    add(text) {
      total += 1;
      if (shown.length < MAX_PROBLEMS_SHOWN) shown.push(`${place}: ${text}`);
    },
    within: (inner) => at(`${place}: ${inner}`),
    count: () => total,
    throwIfAny() {
      if (total > 0) throw new MapError(shown, total - shown.length);
    },
  });
  return at(file);
}

/** What an unknown thrown value says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
