// `npm run cli`: a terminal client. With a command it runs it; without one it opens a prompt, or reads commands from an input that is no terminal.
import { createWalks } from "./arrival.ts";
import { readArguments } from "./arguments.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./command.ts";
import { createCommands } from "./commands/table.ts";
import { createConnection } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { EXIT, exitCodeOf, explainError, UsageError } from "./errors.ts";
import { createGameTypes } from "./language/game-types.ts";
import { sizeOf } from "./terminal/layout.ts";
import { createInputLines, runLines } from "./line-mode.ts";
import { renderLine } from "./terminal/line.ts";
import { runOnce } from "./one-shot.ts";
import { colorDepthOf, createPaint } from "./terminal/paint.ts";
import { askHidden, passwordOfScript } from "./password.ts";
import { runPrompt } from "./prompt.ts";
import { createFileStorage, sessionPath, stateFolder } from "./session-file.ts";
import { createSurroundings } from "./map/surroundings.ts";
import { readArguments as readWords } from "./language/words.ts";

const { stdin, stdout, stderr, env } = process;

async function main(): Promise<number> {
  const read = readArguments(process.argv.slice(2), env);
  if (read.kind === "text") {
    stdout.write(read.text);
    return 0;
  }
  const { url, user, words, json, color } = read.arguments;
  const connection = createConnection(
    url,
    createFileStorage(sessionPath(stateFolder(env), url, user)),
  );
  const isTerminal = stdin.isTTY && stdout.isTTY && env["TERM"] !== "dumb";
  try {
    if (words.length > 0 || !isTerminal) return await runScript(read.arguments, connection);
    if (json) throw new UsageError("--json needs a command, or commands on the input");
    const paint = createPaint(colorDepthOf(stdout, env, color));
    return await runPrompt({ url, connection, stdin, stdout, paint });
  } finally {
    connection.close();
  }
}

async function runScript(args: Arguments, { client }: Connection): Promise<number> {
  const { url, json, color, words } = args;
  const lines = createInputLines(stdin);
  const context: Context = {
    client,
    url,
    types: createGameTypes(client.transport),
    surroundings: createSurroundings(client),
    walks: createWalks(),
    world: undefined,
    size: sizeOf(stdout),
    askPassword: (question) =>
      passwordOfScript({
        env,
        ask: stdin.isTTY ? () => askHidden(question, stdin, stderr) : undefined,
        nextLine: lines.next,
      }),
    ask: async () => undefined,
    tell: () => undefined,
    prompt: undefined,
  };
  const output = {
    json,
    paint: createPaint(colorDepthOf(stdout, env, color)),
    out: (text: string) => void stdout.write(text),
    err: (text: string) => void stderr.write(text),
  };
  const commands = createCommands();
  try {
    if (words.length === 0) return await runLines(commands, context, lines, output);
    return await runOnce(commands, context, readWords(words), output);
  } finally {
    lines.close();
  }
}

// Who reads the output may stop before its end, as `head` does.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.pipeClosed);
  throw error;
});
main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const paint = createPaint(colorDepthOf(stderr, env, true));
    for (const one of explainError(error, "the server"))
      stderr.write(`${renderLine(one, paint)}\n`);
    process.exitCode = exitCodeOf(error);
  },
);
