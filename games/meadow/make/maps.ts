// Builds the maps anew, over what was edited in Tiled since. By hand: node games/meadow/make/maps.ts
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drawMeadow } from "./map-meadow.ts";
import { drawTown } from "./map-town.ts";

const folder = join(import.meta.dirname, "..", "maps");
await writeFile(join(folder, "town.tmj"), drawTown());
await writeFile(join(folder, "meadow.tmj"), drawMeadow());
