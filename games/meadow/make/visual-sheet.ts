import { createCanvas } from "./canvas.ts";
import type { Canvas } from "./canvas.ts";
import { creatureVisuals } from "./visual-creatures.ts";
import { peopleVisuals } from "./visual-people.ts";
import { thingVisuals } from "./visual-things.ts";

/** Pixels that the sheet is wide. */
const SHEET_WIDTH = 512;

/** A picture of a character, a creature or a thing. */
export interface Visual {
  readonly name: string;
  readonly picture: Canvas;
  /** The row of the picture that stands on the entity's position; the column is its middle. */
  readonly footY: number;
}

/** Where a picture is on the sheet, in pixels, and which of its pixels stands on the entity's position. */
export interface VisualPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly anchorX: number;
  readonly anchorY: number;
}

/** All visuals on one picture, and where each is, by name. */
export function drawVisuals(): { sheet: Canvas; places: Record<string, VisualPlace> } {
  const visuals = [...peopleVisuals(), ...creatureVisuals(), ...thingVisuals()];
  const places: Record<string, VisualPlace> = {};
  let [x, y, rowHeight] = [0, 0, 0];
  for (const { name, picture, footY } of visuals) {
    if (x + picture.width > SHEET_WIDTH) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const { width, height } = picture;
    places[name] = { x, y, width, height, anchorX: width / 2, anchorY: footY };
    x += width;
    rowHeight = Math.max(rowHeight, height);
  }
  const sheet = createCanvas(SHEET_WIDTH, y + rowHeight);
  for (const { name, picture } of visuals) {
    const place = places[name];
    if (place !== undefined) sheet.draw(picture, place.x, place.y);
  }
  return { sheet, places };
}
