import { UsageError } from "./errors.ts";
import { createKeyboard } from "./terminal/keyboard.ts";
import { createLineEditor } from "./terminal/line-editor.ts";

/** Where the password of a script may come from. */
export interface PasswordSources {
  readonly env: NodeJS.ProcessEnv;
  /** Asks at the terminal. Undefined: there is none. */
  readonly ask?: (() => Promise<string | undefined>) | undefined;
  /** The next line of an input that is no terminal. */
  readonly nextLine: () => Promise<string | undefined>;
}

/** Finds the password of a script: in the environment, else at the terminal, else on the next line of the input. */
export async function passwordOfScript({ env, ask, nextLine }: PasswordSources): Promise<string> {
  const found = env["REALMWIRE_PASSWORD"] || (await (ask ?? nextLine)());
  if (found) return found;
  throw new UsageError("a password is needed: in REALMWIRE_PASSWORD, or on a line of the input");
}

/** Asks for a password without showing it. Undefined: the input ended. Rejects with Interrupted on Ctrl-C. */
export async function askHidden(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Promise<string | undefined> {
  const keyboard = createKeyboard(input);
  const complete = async (line: string): Promise<[string[], string]> => [[], line];
  const editor = createLineEditor({ keyboard, output, complete, onCandidates: () => undefined });
  keyboard.start();
  try {
    return await editor.readSecret(question);
  } finally {
    editor.close();
    keyboard.close();
  }
}
