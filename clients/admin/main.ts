// `npm run admin`: what operators do to a server, running or stopped.
import { CommanderError } from "commander";
import type { Command } from "commander";
import { errorData, EXIT, exitCodeOf, explainError } from "./errors.ts";
import type { Io } from "./io.ts";
import { createProgram } from "./program.ts";

const { stdin, stdout, stderr, env, argv } = process;

async function main(io: Io): Promise<number> {
  const program = createProgram(io);
  const quiet = (command: Command): void => {
    command.exitOverride();
    for (const child of command.commands) quiet(child);
  };
  quiet(program);
  try {
    await program.parseAsync(argv);
    return EXIT.done;
  } catch (error) {
    // Its message was printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const text = program.opts<{ json: boolean }>().json
      ? JSON.stringify({ error: errorData(error) }, undefined, 2)
      : explainError(error).join("\n");
    stderr.write(`${text}\n`);
    return exitCodeOf(error);
  }
}

process.exitCode = await main({ stdin, stdout, stderr, env });
