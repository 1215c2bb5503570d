import { type Command, Option } from "commander";
import { UsageError } from "./errors.ts";

const DEFAULT_URL = "http://localhost:8080";

/** What holds for all commands. */
export interface Settings {
  /** Without a slash at its end. */
  readonly url: string;
  /** The account's name; empty: asked for, or that of the session which was kept last. */
  readonly user: string;
  /** Empty: the one that was kept, or a new login. */
  readonly token: string;
  /** A file of certificates to trust; empty: none. */
  readonly ca: string;
  readonly json: boolean;
  readonly yes: boolean;
}

/** Adds the options that hold for all commands. */
export function addSettings(program: Command): Command {
  const option = (flags: string, env: string, help: string) =>
    program.addOption(new Option(flags, help).env(env));
  program.addOption(
    new Option("--url <url>", "the server").env("REALMWIRE_URL").default(DEFAULT_URL),
  );
  option("--user <name>", "REALMWIRE_USER", "the admin's account");
  option("--token <token>", "REALMWIRE_TOKEN", "the token of a session, instead of a login");
  option("--ca <file>", "REALMWIRE_CA", "certificates to trust, in PEM, for TLS");
  return program
    .option("--json", "print the answer as JSON", false)
    .option("-y, --yes", "do it without asking", false);
}

/** Reads the options of a command. Throws a {@link UsageError}. */
export function readSettings(command: Command): Settings {
  const { url, ...given } = command.optsWithGlobals<Pick<Settings, "url" | "json" | "yes">>();
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new UsageError(`--url "${url}" is no address of a server, such as ${DEFAULT_URL}`);
  }
  return { user: "", token: "", ca: "", ...given, url: url.replace(/\/+$/, "") };
}
