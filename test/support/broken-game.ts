import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./server.ts";

const meadow = join(root, "games/meadow");

/** What makes a game of its own, besides the default one's. */
export interface GameChange {
  /** TypeScript of further fields of the game, such as `startZone: "void",`. */
  readonly fields?: string;
  /** TypeScript in front of the game. */
  readonly head?: string;
  /** Scripts by file name, instead of the default game's. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Changes the text of `town.tmj`. */
  readonly town?: (text: string) => string;
}

/** Writes a game into a new folder: the default one with a change. Its files refer to the default game's. */
export async function writeGame(change: GameChange): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-game-"));
  const from = (path: string) => relative(folder, join(meadow, path)).replaceAll("\\", "/");
  const maps = [from("maps/town.tmj"), from("maps/meadow.tmj")];
  if (change.town) {
    const text = await readFile(join(meadow, "maps/town.tmj"), "utf8");
    const tiles = relative(join(folder, "maps"), join(meadow, "tiles"));
    await mkdir(join(folder, "maps"));
    const moved = text.replaceAll("../tiles", tiles.replaceAll("\\", "/"));
    const changed = change.town(moved);
    if (changed === moved) throw new Error("the map was not changed");
    await writeFile(join(folder, "maps/town.tmj"), changed);
    maps[0] = "maps/town.tmj";
  }
  if (change.scripts) {
    await mkdir(join(folder, "scripts"));
    for (const [name, text] of Object.entries(change.scripts)) {
      await writeFile(join(folder, "scripts", name), text);
    }
  }
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(
    join(folder, "game.ts"),
    `import meadow from ${urlOf("games/meadow/game.ts")};
     ${change.head ?? ""}
     export default {
       ...meadow,
       maps: ${JSON.stringify(maps)},
       scripts: ${JSON.stringify(change.scripts ? "scripts" : from("scripts"))},
       ${change.fields ?? ""}
     };`,
  );
  return folder;
}

/** The default game's scripts as {@link GameChange.scripts}, with other ones instead of some, or beside them. */
export async function meadowScripts(
  others: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const names = (await readdir(join(meadow, "scripts"))).filter((name) => name.endsWith(".ts"));
  const own = names.map((name) => [
    name,
    `export { default } from ${urlOf(`games/meadow/scripts/${name}`)};`,
  ]);
  return { ...Object.fromEntries(own), ...others };
}

/** A project file as a string literal for an import. */
export function urlOf(path: string): string {
  return JSON.stringify(pathToFileURL(join(root, path)).href);
}
