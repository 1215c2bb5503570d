import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Interrupted, UsageError } from "./errors.ts";
import { printable } from "../cli/terminal/printable.ts";

/** What the program reads and writes. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Asks at the terminal; undefined: there is none. Rejects with {@link Interrupted} on Ctrl-C and at the end of the input. */
export async function ask(io: Io, question: string, hidden = false): Promise<string | undefined> {
  const { stdin, stderr } = io;
  if (!stdin.isTTY) return undefined;
  stderr.write(question);
  // What is typed is shown by the interface, which writes nowhere when it is to be hidden.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: stdin,
    output: hidden ? nowhere : stderr,
    terminal: true,
  });
  const interrupted = Promise.withResolvers<never>();
  terminal.once("SIGINT", () => interrupted.reject(new Interrupted("interrupted")));
  terminal.once("close", () => interrupted.reject(new Interrupted("the input ended")));
  interrupted.promise.catch(() => {});
  try {
    return await Promise.race([terminal.question(""), interrupted.promise]);
  } finally {
    terminal.close();
    if (hidden) stderr.write("\n");
  }
}

/** Asks whether something dangerous is meant, unless `--yes` said so. Rejects with {@link Interrupted} on anything but yes. */
export async function confirm(io: Io, isMeant: boolean | undefined, what: string): Promise<void> {
  if (isMeant) return;
  const answer = await ask(io, `${printable(what)} [y/N] `);
  if (answer === undefined) throw new UsageError(`${what} Without a terminal, say so with --yes.`);
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Interrupted("nothing was done");
}

/** A password: from the environment, else asked for. Throws a {@link UsageError} without either. */
export async function readPassword(io: Io, question: string): Promise<string> {
  const given = io.env["REALMWIRE_PASSWORD"] || (await ask(io, question, true));
  if (given) return given;
  throw new UsageError("a password is needed: in REALMWIRE_PASSWORD, or typed at a terminal");
}
