import { createInterface } from "node:readline";
import { UsageError } from "./errors.ts";

/** The longest line that is taken for a password, in characters: far more than the server takes. */
const MAX_LINE = 4096;

/** The first line of an input that is no terminal. Undefined: it has none. */
export async function readFirstLine(input: NodeJS.ReadableStream): Promise<string | undefined> {
  const lines = createInterface({ input, crlfDelay: Infinity });
  for await (const line of lines) {
    lines.close();
    return line.slice(0, MAX_LINE);
  }
  return undefined;
}

/** Finds the password of a script: in the environment, else on the first line of the input. */
export async function passwordOfScript(
  env: NodeJS.ProcessEnv,
  input: NodeJS.ReadStream,
): Promise<string> {
  const told = env["REALMWIRE_PASSWORD"];
  if (told) return told;
  const line = input.isTTY ? undefined : await readFirstLine(input);
  if (line) return line;
  throw new UsageError(
    "a password is needed: set REALMWIRE_PASSWORD, or give it as the first line of the input",
  );
}
