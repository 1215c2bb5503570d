import { Command as Program, CommanderError, Option } from "commander";
import { UsageError } from "./errors.ts";

const DEFAULT_URL = "http://localhost:8080";

/** What the command line says. */
export interface Arguments {
  /** Without a slash at its end. */
  readonly url: string;
  /** Whose session, by the account's name. Empty: the one that was begun last. */
  readonly user: string;
  readonly json: boolean;
  readonly color: boolean;
  /** The command to run, and what follows it. None: open the prompt. */
  readonly words: readonly string[];
}

/** What comes of a command line: a text to print, and done, or what it says. */
export type ReadArguments =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "arguments"; readonly arguments: Arguments };

/** Reads the command line. Throws a UsageError that says what is wrong with it. */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): ReadArguments {
  let text = "";
  const program = createProgram(env)
    .exitOverride()
    .configureOutput({ writeOut: (part) => (text += part), writeErr: () => undefined });
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text };
    throw new UsageError(error.message.replace(/^error: /, ""));
  }
  const { url, user = "", json = false, color } = program.opts<Options>();
  const words = program.args;
  const misplaced = words.find((word) => OPTIONS.has(word.split("=", 1)[0] ?? ""));
  if (misplaced !== undefined && !argv.includes("--")) {
    throw new UsageError(`${misplaced} is an option and stands before the command`);
  }
  return {
    kind: "arguments",
    arguments: { url: checkUrl(url), user, json, color, words },
  };
}

/** What commander makes of the options: those that have no default may be missing. */
type Options = Pick<Arguments, "url" | "color"> & Partial<Pick<Arguments, "user" | "json">>;

const OPTIONS: ReadonlySet<string> = new Set(["--url", "--user", "--json", "--no-color"]);

function createProgram(env: NodeJS.ProcessEnv): Program {
  return new Program("realmwire")
    .usage("[options] [command …]   (with npm: npm run cli -- [options] [command …])")
    .description(
      "A terminal client. Without a command it opens a prompt; with one it runs it and ends. `help` lists the commands.",
    )
    .argument("[command...]", "a command of the prompt, such as: say hello")
    .addOption(
      new Option("--url <url>", "the server (REALMWIRE_URL)").default(
        env["REALMWIRE_URL"] || DEFAULT_URL,
      ),
    )
    .option("--user <name>", "keep this account's session beside those of others")
    .option("--json", "print the answer of a command as JSON")
    .option("--no-color", "no colours; NO_COLOR does the same")
    .helpOption("-h, --help", "print this help")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
A password is asked for, or comes from REALMWIRE_PASSWORD or the first line of the input; it is never an argument.
A login is kept, for you alone to read, in $XDG_STATE_HOME/realmwire (~/.local/state/realmwire) until \`logout\`.

Exit codes: 0 done, 1 refused or failed, 2 a wrong command line, 3 no server answers, 130 ended by Ctrl-C.`,
    );
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${text}" is no address of a server, such as ${DEFAULT_URL}`);
  }
  return text.replace(/\/+$/, "");
}
