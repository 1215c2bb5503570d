import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Command, Context } from "./command.ts";
import { findCommand } from "./commands/table.ts";
import { EXIT } from "./errors.ts";
import { runOnce } from "./one-shot.ts";
import type { ScriptOutput } from "./one-shot.ts";
import { readTyped } from "./language/words.ts";

/** An input that is no terminal, line by line. It is not read before the first line is asked for. */
export interface InputLines {
  /** The next line; undefined at the end. */
  next(): Promise<string | undefined>;
  close(): void;
}

/** Reads an input by lines. */
export function createInputLines(input: NodeJS.ReadableStream): InputLines {
  let reader: Interface | undefined;
  let lines: AsyncIterator<string> | undefined;
  return {
    async next() {
      reader ??= createInterface({ input, crlfDelay: Infinity });
      lines ??= reader[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    close: () => reader?.close(),
  };
}

/**
 * Runs a command for each line, as scripts run them, all of them even when one fails. Lines that begin with `#` are passed over.
 * What comes back is the exit code of the first that failed.
 */
export async function runLines(
  commands: readonly Command[],
  context: Context,
  lines: InputLines,
  output: ScriptOutput,
): Promise<number> {
  let failed: number = EXIT.done;
  for (;;) {
    const typed = await lines.next();
    if (typed === undefined) return failed;
    const input = readTyped(typed);
    const [name] = input.words;
    if (name === undefined || name.startsWith("#")) continue;
    if (findCommand(commands, name)?.name === "exit") return failed;
    const code = await runOnce(commands, context, input, output);
    if (failed === EXIT.done) failed = code;
  }
}
