import { resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  type OfflineAccounts,
  openAccounts,
  readablePassword,
} from "../../../server/offline/open-accounts.ts";
import { UsageError } from "../errors.ts";
import { confirm, type Io, readPassword } from "../io.ts";
import { addData, addGame, dataOf } from "../places.ts";
import type { AddAction, Tool } from "../tool.ts";

interface CreateOptions {
  readonly data: string;
  readonly databaseUrl?: string;
  readonly game: string;
  readonly generate?: true;
  readonly newPassword?: true;
}

/** Adds the way to the first admin. */
export function addCreateAdmin(program: Command, add: AddAction): void {
  const command = program
    .command("create-admin <name>")
    .description(
      "make an admin's account in the database, without a login: for the first one, or when all passwords are lost",
    )
    .option("--generate", "make up the password and print it, this once")
    .option("--new-password", "also give an account that is there a new password");
  addGame(addData(command)).addOption(
    new Option("--database-url <url>", "the PostgreSQL database, instead of the embedded one").env(
      "DATABASE_URL",
    ),
  );
  command.addHelpText(
    "after",
    "\nThe embedded database has to be free: stop the server before. With PostgreSQL it may run; it knows of a changed role within a minute.",
  );
  add(command, createAdmin);
}

async function createAdmin(
  tool: Tool,
  [name = ""]: string[],
  options: CreateOptions,
): Promise<void> {
  const accounts = await openAccounts({
    data: dataOf(options),
    databaseUrl: options.databaseUrl ?? "",
    game: resolve(options.game),
  });
  try {
    await changeAdmin(tool, accounts, name, options);
  } finally {
    await accounts.close();
  }
}

async function changeAdmin(
  tool: Tool,
  accounts: OfflineAccounts,
  name: string,
  options: CreateOptions,
): Promise<void> {
  const account = await accounts.find(name);
  if (account) {
    const what = options.newPassword ? "an admin with a new password" : "an admin";
    await confirm(tool, tool.settings.yes, `There is an account ${account.name}. Make it ${what}?`);
  }
  const needsPassword = !account || options.newPassword;
  const password = needsPassword ? await choosePassword(tool, options) : undefined;
  if (!account) await accounts.createAdmin(name, password ?? "");
  else await accounts.promote(account);
  if (account && password !== undefined) await accounts.setPassword(account, password);
  const done = account ? `${account.name} is an admin now` : `created the admin ${name}`;
  const shown = options.generate ? password : undefined;
  tool.print([done, ...(shown === undefined ? [] : [`password, shown only this once: ${shown}`])], {
    account: account?.name ?? name,
    created: !account,
    ...(shown !== undefined && { password: shown }),
  });
}

async function choosePassword(io: Io, { generate }: CreateOptions): Promise<string> {
  if (generate) return readablePassword();
  const password = await readPassword(io, "New password (8 to 128 characters): ");
  if (io.env["REALMWIRE_PASSWORD"]) return password;
  if ((await readPassword(io, "The same again: ")) !== password) {
    throw new UsageError("the two passwords differ");
  }
  return password;
}
