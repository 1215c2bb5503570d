// `npm run cli`: a terminal client. Without a command it opens a prompt, with one it runs it.
import { createWalks } from "./arrival.ts";
import { readArguments } from "./arguments.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./command.ts";
import { createCommands } from "./commands/table.ts";
import { createConnection } from "./connection.ts";
import { exitCodeOf, explainError } from "./errors.ts";
import { createGameTypes } from "./game-types.ts";
import { renderLine } from "./line.ts";
import { runOnce } from "./one-shot.ts";
import { colorDepthOf, createPaint } from "./paint.ts";
import { passwordOfScript } from "./password.ts";
import { createFileStorage, sessionPath, stateFolder } from "./session-file.ts";
import { createSurroundings } from "./surroundings.ts";
import { readArguments as readWords } from "./words.ts";

/** The size of a terminal that is none. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const { stdin, stdout, stderr, env } = process;

async function main(): Promise<number> {
  const read = readArguments(process.argv.slice(2), env);
  if (read.kind === "text") {
    stdout.write(read.text);
    return 0;
  }
  return await runScript(read.arguments);
}

async function runScript({ url, user, json, color, words }: Arguments): Promise<number> {
  const storage = createFileStorage(sessionPath(stateFolder(env), url, user));
  const { client, close } = createConnection(url, storage);
  const context: Context = {
    client,
    url,
    types: createGameTypes(client.transport),
    surroundings: createSurroundings(client),
    walks: createWalks(),
    world: undefined,
    size: { columns: stdout.columns || DEFAULT_COLUMNS, rows: stdout.rows || DEFAULT_ROWS },
    askPassword: () => passwordOfScript(env, stdin),
    ask: async () => undefined,
    tell: () => undefined,
    prompt: undefined,
  };
  try {
    await client.resume();
    return await runOnce(createCommands(), context, readWords(words), {
      json,
      paint: createPaint(colorDepthOf(stdout, env, color)),
      out: (text) => void stdout.write(text),
      err: (text) => void stderr.write(text),
    });
  } finally {
    close();
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const paint = createPaint(colorDepthOf(stderr, env, true));
    for (const one of explainError(error, "the server"))
      stderr.write(`${renderLine(one, paint)}\n`);
    process.exitCode = exitCodeOf(error);
  },
);
