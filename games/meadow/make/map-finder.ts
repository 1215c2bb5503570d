/** Finds which tiles can be walked to. */
export interface Finder {
  /** The tiles that can be reached from one, as row × width + column; empty when it is blocked itself. */
  from(x: number, y: number): ReadonlySet<number>;
}

/** A finder that walks in the four directions of the compass. */
export function createFinder(map: {
  readonly width: number;
  readonly height: number;
  readonly isBlocked: (x: number, y: number) => boolean;
}): Finder {
  const { width, height, isBlocked } = map;
  return {
    from(startX, startY) {
      const reached = new Set<number>();
      const open: [number, number][] = [[startX, startY]];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const [x, y] = next;
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        if (reached.has(y * width + x) || isBlocked(x, y)) continue;
        reached.add(y * width + x);
        open.push([x + 1, y], [x - 1, y], [x, y + 1], [x, y - 1]);
      }
      return reached;
    },
  };
}
