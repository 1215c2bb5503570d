import type { Command, Context } from "../command.ts";
import { findCommand } from "../commands/table.ts";
import type { Completer } from "../terminal/line-editor.ts";
import { readTyped } from "./words.ts";

/** Completes commands, and what may follow them. */
export function createCompleter(commands: readonly Command[], context: Context): Completer {
  return async (line) => {
    const words = [...readTyped(line).words];
    const isNewWord = line === "" || /\s$/.test(line);
    if (isNewWord) words.push("");
    const typed = isNewWord ? "" : (/\S*$/.exec(line)?.[0] ?? "");
    const [name = "", ...rest] = words;
    const candidates =
      rest.length === 0 ? commandNames(commands) : await argumentsOf(commands, context, name, rest);
    const fitting = candidates.filter((one) => one.toLowerCase().startsWith(typed.toLowerCase()));
    // A word that is complete goes on with the next one.
    return [fitting.length === 1 ? fitting.map((one) => `${one} `) : [...fitting], typed];
  };
}

function commandNames(commands: readonly Command[]): readonly string[] {
  return commands.map(({ name }) => name).toSorted();
}

async function argumentsOf(
  commands: readonly Command[],
  context: Context,
  name: string,
  words: readonly string[],
): Promise<readonly string[]> {
  const command = findCommand(commands, name);
  if (!command?.complete || (command.needs !== "nothing" && !context.client.session)) return [];
  return await command.complete(context, words);
}
