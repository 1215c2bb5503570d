// Draws the tileset and the pictures of characters, creatures and things. By hand: node games/meadow/make/tiles.ts
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "./png.ts";
import { allTiles, describeSheet, drawSheet } from "./tile-sheet.ts";
import { drawVisuals } from "./visual-sheet.ts";

const folder = join(import.meta.dirname, "..", "tiles");
const toJson = (value: object): string => `${JSON.stringify(value, undefined, 1)}\n`;

const tiles = allTiles();
await writeFile(join(folder, "meadow.png"), encodePng(drawSheet(tiles)));
await writeFile(join(folder, "meadow.tsj"), toJson(describeSheet(tiles)));

const { sheet, places } = drawVisuals();
await writeFile(join(folder, "visuals.png"), encodePng(sheet));
await writeFile(join(folder, "visuals.json"), toJson(places));
