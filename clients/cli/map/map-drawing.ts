import type { WorldEntity } from "../../ts/index.ts";
import type { Glyph } from "./glyphs.ts";
import { span } from "../terminal/line.ts";
import type { Line, Span } from "../terminal/line.ts";
import type { Style } from "../terminal/paint.ts";
import type { Terrain } from "./terrain.ts";
import { NOTHING } from "./tile-looks.ts";

/** Columns of a tile. A row is about twice as high as a column is wide. */
export const TILE_COLUMNS = 2;

/** Something on the map. */
export interface Token {
  readonly entity: WorldEntity;
  /** Where to draw it, in tiles. */
  readonly position: { readonly x: number; readonly y: number };
  readonly glyph: Glyph;
}

/** What a map is drawn of. */
export interface MapPicture {
  /** Undefined: not known yet. */
  readonly terrain: Terrain | undefined;
  /** Those further behind are drawn over those before. */
  readonly tokens: readonly Token[];
  /** What is in the middle, in tiles. */
  readonly center: { readonly x: number; readonly y: number };
}

/** Draws the map around its middle, as so many rows of exactly so many columns. */
export function drawMap(picture: MapPicture, columns: number, rows: number): Line[] {
  const { terrain, center } = picture;
  const across = Math.max(1, Math.floor(columns / TILE_COLUMNS));
  const left = Math.floor(center.x) - Math.floor(across / 2);
  const top = Math.floor(center.y) - Math.floor(rows / 2);
  const signs = placeTokens(picture.tokens);
  return Array.from({ length: rows }, (_, row) => {
    const cells: Span[] = [];
    for (let column = 0; column < across; column++) {
      const [x, y] = [left + column, top + row];
      const look = terrain?.at(x, y) ?? NOTHING;
      const [first, second] = signs.get(`${x},${y}`) ?? [];
      if (first === undefined) cells.push(span(look.glyph, look.style));
      else {
        const behind = second ? span(second.sign, second.style) : span(" ", look.style);
        cells.push(span(first.sign, first.style), behind);
      }
    }
    cells.push(span(" ".repeat(columns - across * TILE_COLUMNS)));
    return joinAlike(cells);
  });
}

/** The two topmost signs of each tile that has any. */
function placeTokens(tokens: readonly Token[]): Map<string, Glyph[]> {
  const signs = new Map<string, Glyph[]>();
  for (const { position, glyph } of tokens.toReversed()) {
    const key = `${Math.floor(position.x)},${Math.floor(position.y)}`;
    const there = signs.get(key) ?? [];
    if (there.length < TILE_COLUMNS) signs.set(key, [...there, glyph]);
  }
  return signs;
}

/** Neighbours of the same style become one piece: fewer bytes for the terminal. */
function joinAlike(cells: readonly Span[]): Line {
  const joined: { text: string; style?: Style }[] = [];
  for (const cell of cells) {
    const last = joined.at(-1);
    if (last && last.style === cell.style) last.text += cell.text;
    else joined.push({ ...cell });
  }
  return joined;
}

/** What the signs on the map mean: a sign, its meaning and how many there are, each once, the caller's own first. */
export function legendOf(tokens: readonly Token[]): Line[] {
  const counts = new Map<string, { readonly glyph: Glyph; count: number }>();
  for (const { glyph } of tokens.toReversed()) {
    const known = counts.get(glyph.meaning);
    if (known) known.count++;
    else counts.set(glyph.meaning, { glyph, count: 1 });
  }
  return [...counts.values()].map(({ glyph, count }) => [
    span(glyph.sign, glyph.style),
    span(` ${glyph.meaning}${count > 1 ? ` ×${count}` : ""}`),
  ]);
}

/** The tokens of what is in view, things first, then creatures, characters and the caller's own. */
export function tokensOf(
  entities: Iterable<WorldEntity>,
  self: WorldEntity | undefined,
  glyphOf: (entity: WorldEntity) => Glyph,
  positionOf: (entity: WorldEntity) => { readonly x: number; readonly y: number },
): Token[] {
  const rank = ({ id, kind }: WorldEntity): number => (id === self?.id ? 1 : -Number(kind));
  return [...entities]
    .toSorted((a, b) => rank(a) - rank(b) || a.id - b.id)
    .map((entity) => ({ entity, position: positionOf(entity), glyph: glyphOf(entity) }));
}
