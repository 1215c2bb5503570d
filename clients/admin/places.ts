import { resolve } from "node:path";
import { type Command, Option } from "commander";

/** Adds the folder of the data, for commands on a server that does not run. */
export function addData(command: Command): Command {
  return command.addOption(
    new Option("--data <folder>", "the server's data folder").env("REALMWIRE_DATA").default("data"),
  );
}

/** Adds the folder of the game. */
export function addGame(command: Command): Command {
  return command.addOption(
    new Option("--game <folder>", "the folder of the game, with its game.ts")
      .env("REALMWIRE_GAME")
      .default("games/meadow"),
  );
}

/** Options with {@link addData}, as a path. */
export function dataOf({ data }: { readonly data: string }): string {
  return resolve(data);
}
