import type { Session } from "../ts/index.ts";
import type { Command, Context } from "./command.ts";
import { unknownCommand } from "./commands/help.ts";
import { findCommand } from "./commands/table.ts";
import { errorData, exitCodeOf, explainError, UsageError } from "./errors.ts";
import { line, renderLine } from "./terminal/line.ts";
import type { Line } from "./terminal/line.ts";
import type { Paint } from "./terminal/paint.ts";
import { behindFirst } from "./language/words.ts";
import type { Input } from "./language/words.ts";

/** Where a script's answers go. */
export interface ScriptOutput {
  readonly json: boolean;
  readonly paint: Paint;
  out(text: string): void;
  err(text: string): void;
}

/** Runs one command and prints its answer. What comes back is the exit code. */
export async function runOnce(
  commands: readonly Command[],
  context: Context,
  input: Input,
  output: ScriptOutput,
): Promise<number> {
  const { json, paint } = output;
  const print = (lines: readonly Line[], write: (text: string) => void): void => {
    for (const one of lines) write(`${renderLine(one, paint).trimEnd()}\n`);
  };
  try {
    const { lines, data } = await runCommand(commands, context, input);
    if (json) output.out(`${JSON.stringify(data, undefined, 2)}\n`);
    else print(lines, output.out);
    return 0;
  } catch (error) {
    if (json) output.err(`${JSON.stringify({ error: errorData(error) }, undefined, 2)}\n`);
    else print(explainFailure(error, commands, input, context.url), output.err);
    return exitCodeOf(error);
  }
}

/** Finds a command and runs it, once there is the session that it needs. */
export async function runCommand(commands: readonly Command[], context: Context, input: Input) {
  const [name = ""] = input.words;
  const command = findCommand(commands, name);
  if (!command) throw new UsageError(unknownCommand(name, commands));
  if (command.needs !== "nothing" && !(await sessionOf(context))) {
    throw new UsageError("log in first: `login <name>`, or `register <name>` for a new account");
  }
  return await command.run(context, behindFirst(input));
}

/** The session, which may be one that was kept. */
async function sessionOf({ client }: Context): Promise<Session | undefined> {
  return client.session ?? (await client.resume());
}

/** What went wrong, and for a command that was given wrongly how it is given rightly. */
export function explainFailure(
  error: unknown,
  commands: readonly Command[],
  input: Input,
  url: string,
): Line[] {
  const lines = explainError(error, url);
  const command = findCommand(commands, input.words[0] ?? "");
  if (!(error instanceof UsageError) || !command) return lines;
  return [...lines, line(`  ${`${command.name} ${command.usage}`.trim()}`)];
}
