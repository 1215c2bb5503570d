// Draws a map as players see it. By hand: node games/meadow/make/preview.ts <map.tmj> <picture.png> [shrink, default 1]
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { loadTiledMap } from "../../../server/zone/tiled/tiled.ts";
import { createCanvas } from "./canvas.ts";
import type { Canvas, Color } from "./canvas.ts";
import { createDice } from "./dice.ts";
import { decodePng, encodePng } from "./png.ts";
import type { VisualPlace } from "./visual-sheet.ts";

const FLIPS = { horizontal: 0x8000_0000, vertical: 0x4000_0000, diagonal: 0x2000_0000 };
const NUMBER = 0x1fff_ffff;
/** Colours of a picture that is made smaller. */
const PALETTE_SIZE = 256;

const [mapPath, picturePath, shrink = "1"] = process.argv.slice(2);
if (mapPath === undefined || picturePath === undefined) {
  throw new Error("usage: node games/meadow/make/preview.ts <map.tmj> <picture.png> [shrink]");
}
const map = await loadTiledMap({ path: mapPath, zone: basename(mapPath, ".tmj") });
const folder = join(dirname(mapPath), "..");
const picture = await drawMap(map, folder);
await writeFile(picturePath, encodePng(shrunk(picture, Number(shrink))));

async function drawMap(zone: ZoneMap, game: string): Promise<Canvas> {
  const canvas = createCanvas(zone.width * zone.tileSize, zone.height * zone.tileSize);
  const sheets = await Promise.all(
    zone.tilesets.map(async (tileset) => ({
      tileset,
      sheet: decodePng(await readFile(join(game, tileset.image))),
    })),
  );
  const visuals = decodePng(await readFile(join(game, "tiles", "visuals.png")));
  const places = JSON.parse(await readFile(join(game, "tiles", "visuals.json"), "utf8")) as Record<
    string,
    VisualPlace
  >;
  const above = zone.layers.findIndex(({ name }) => name === "canopy");
  for (const [index, layer] of zone.layers.entries()) {
    if (index === above) drawVisuals(canvas, zone, visuals, places);
    if (layer.collision) continue;
    for (const [i, tile] of layer.tiles.entries()) {
      const number = tile & NUMBER;
      const found = sheets.find(
        ({ tileset: t }) => number >= t.firstTile && number < t.firstTile + t.tileCount,
      );
      if (found === undefined) continue;
      const part = tilePicture(
        found.sheet,
        number - found.tileset.firstTile,
        found.tileset.columns,
        zone.tileSize,
      );
      canvas.draw(
        turned(part, tile),
        (i % zone.width) * zone.tileSize,
        Math.floor(i / zone.width) * zone.tileSize,
      );
    }
  }
  if (above === -1) drawVisuals(canvas, zone, visuals, places);
  return canvas;
}

function tilePicture(sheet: Canvas, id: number, columns: number, size: number): Canvas {
  return sheet.part((id % columns) * size, Math.floor(id / columns) * size, size, size);
}

/** A tile as the bits of its number turn it: first over the diagonal, then left to right, then top to bottom. */
function turned(tile: Canvas, bits: number): Canvas {
  const [h, v, d] = [FLIPS.horizontal, FLIPS.vertical, FLIPS.diagonal].map(
    (flag) => (bits & flag) !== 0,
  );
  if (h !== true && v !== true && d !== true) return tile;
  const last = tile.width - 1;
  const result = createCanvas(tile.width, tile.height);
  for (let y = 0; y <= last; y++) {
    for (let x = 0; x <= last; x++) {
      const [i, j] = [h === true ? last - x : x, v === true ? last - y : y];
      const [fromX, fromY] = d === true ? [j, i] : [i, j];
      result.set(x, y, tile.colorAt(fromX, fromY), tile.alphaAt(fromX, fromY));
    }
  }
  return result;
}

/** Draws objects, and creatures somewhere around their spawns, those further south in front. */
function drawVisuals(
  canvas: Canvas,
  zone: ZoneMap,
  visuals: Canvas,
  places: Record<string, VisualPlace>,
): void {
  const dice = createDice(5);
  const found = zone.objects.map((o) => ({
    kind: o.kind,
    x: o.position?.x ?? 0,
    y: o.position?.y ?? 0,
  }));
  for (const spawn of zone.spawns) {
    const [x, y] = [spawn.position?.x ?? 0, spawn.position?.y ?? 0];
    if (spawn.name === "start") found.push({ kind: "player", x, y });
    for (let n = 0; n < spawn.count; n++) {
      const [angle, far] = [dice.next() * Math.PI * 2, Math.sqrt(dice.next()) * spawn.radius];
      found.push({ kind: spawn.kind, x: x + Math.cos(angle) * far, y: y + Math.sin(angle) * far });
    }
  }
  for (const { kind, x, y } of found.toSorted((a, b) => a.y - b.y)) {
    const place = places[kind];
    if (place === undefined) throw new Error(`there is no picture of ${kind}`);
    const part = visuals.part(place.x, place.y, place.width, place.height);
    const [left, top] = [
      Math.round(x * zone.tileSize) - place.anchorX,
      Math.round(y * zone.tileSize) - place.anchorY,
    ];
    canvas.draw(part, left, top, dice.chance(0.5) && zone.spawns.some((s) => s.kind === kind));
  }
}

/** The mean of each square of pixels, in the most frequent colours, so that the file stays small. */
function shrunk(canvas: Canvas, factor: number): Canvas {
  if (factor === 1) return canvas;
  const small = createCanvas(Math.floor(canvas.width / factor), Math.floor(canvas.height / factor));
  const nearest = createPalette(canvas);
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      small.set(x, y, nearest(meanColor(canvas, x * factor, y * factor, factor)));
    }
  }
  return small;
}

function meanColor(canvas: Canvas, x: number, y: number, size: number): Color {
  const count = size * size;
  let [red, green, blue] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [r, g, b] = channels(canvas.colorAt(x + (i % size), y + Math.floor(i / size)));
    [red, green, blue] = [red + r, green + g, blue + b];
  }
  return toColor(red / count, green / count, blue / count);
}

/** Gives for any colour the one most like it among the most frequent of a picture. */
function createPalette(canvas: Canvas): (color: Color) => Color {
  const counts = new Map<Color, number>();
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const color = canvas.colorAt(x, y);
      counts.set(color, (counts.get(color) ?? 0) + 1);
    }
  }
  const frequent = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, PALETTE_SIZE)
    .map(([color]) => color);
  const known = new Map<Color, Color>();
  return (color) => {
    const found = known.get(color) ?? mostLike(color, frequent);
    known.set(color, found);
    return found;
  };
}

function mostLike(color: Color, palette: readonly Color[]): Color {
  const [r, g, b] = channels(color);
  let [best, least] = [color, Infinity];
  for (const candidate of palette) {
    const [cr, cg, cb] = channels(candidate);
    const difference = (cr - r) ** 2 + (cg - g) ** 2 * 2 + (cb - b) ** 2;
    if (difference < least) [best, least] = [candidate, difference];
  }
  return best;
}

function channels(color: Color): [number, number, number] {
  return [(color >> 16) & 255, (color >> 8) & 255, color & 255];
}

function toColor(red: number, green: number, blue: number): Color {
  return (Math.round(red) << 16) | (Math.round(green) << 8) | Math.round(blue);
}
