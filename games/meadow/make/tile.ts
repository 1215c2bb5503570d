import type { Canvas } from "./canvas.ts";

/** Pixels of a tile's edge. */
export const TILE = 32;

/** A tile of the tileset. */
export interface Tile {
  readonly name: string;
  readonly picture: Canvas;
  /** Whether it cannot be walked on. */
  readonly solid: boolean;
}

/** Cuts a picture into tiles named `name-column-row`; those on which nothing is drawn are left out. */
export function cutTiles(
  name: string,
  picture: Canvas,
  isSolid: (column: number, row: number) => boolean,
): Tile[] {
  const tiles: Tile[] = [];
  for (let row = 0; row < picture.height / TILE; row++) {
    for (let column = 0; column < picture.width / TILE; column++) {
      const part = picture.part(column * TILE, row * TILE, TILE, TILE);
      if (part.isEmpty()) continue;
      tiles.push({ name: `${name}-${column}-${row}`, picture: part, solid: isSolid(column, row) });
    }
  }
  return tiles;
}
