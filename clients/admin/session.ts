import { join } from "node:path";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { Code } from "@connectrpc/connect";
import { RealmwireError } from "../ts/errors.ts";
import type { Storage } from "../ts/storage.ts";
import { type Connection, createConnection } from "./connection.ts";
import { ToolError, UsageError } from "./errors.ts";
import { ask, type Io, readPassword } from "./io.ts";
import { createFileStorage, sessionPath, stateFolder } from "../cli/session-file.ts";
import { printable } from "../cli/terminal/printable.ts";
import type { Settings } from "./settings.ts";

/** What a file holds, which has room for one thing only. */
const TOKEN = "token";

/** Does something as an admin: with the token that was given, with the session that was kept, or after a login. */
export async function asAdmin<T>(
  io: Io,
  settings: Settings,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = createConnection({ url: settings.url, caFile: settings.ca });
  try {
    await takeSession(io, settings, connection);
    return await work(connection);
  } finally {
    connection.close();
  }
}

/** Logs in anew, and keeps the session for later commands. The account's name comes back. */
export async function logIn(io: Io, settings: Settings, connection: Connection): Promise<string> {
  const name = settings.user || (await ask(io, "Admin's account: "));
  if (!name)
    throw new UsageError("who are you? --user or REALMWIRE_USER names the admin's account");
  const password = await readPassword(io, `Password of ${printable(name)}: `);
  // Without a character: the admin's own game goes on.
  const { token, account } = await connection.world.login({ name, password, noCharacter: true });
  connection.token = token;
  if (account?.role !== Role.ADMIN) {
    await connection.account.logout({});
    throw new ToolError(`${printable(name)} is no admin`);
  }
  await fileOf(io, settings).set(TOKEN, token);
  return account.name;
}

/** Ends the session that was kept, and forgets it. False: there was none. */
export async function logOut(io: Io, settings: Settings, connection: Connection): Promise<boolean> {
  const file = fileOf(io, settings);
  const token = await file.get(TOKEN);
  if (!token) return false;
  connection.token = token;
  await file.remove(TOKEN);
  await connection.account.logout({}).catch(ignoreUnauthenticated);
  return true;
}

async function takeSession(io: Io, settings: Settings, connection: Connection): Promise<void> {
  if (settings.token !== "") {
    connection.token = settings.token;
    return;
  }
  const kept = await fileOf(io, settings).get(TOKEN);
  if (kept) {
    connection.token = kept;
    if (await works(connection)) return;
    connection.token = "";
    await fileOf(io, settings).remove(TOKEN);
  }
  await logIn(io, settings, connection);
}

/** Whether the token is still good. */
async function works({ account }: Connection): Promise<boolean> {
  try {
    await account.listCharacters({ pageSize: 1 });
    return true;
  } catch (error) {
    ignoreUnauthenticated(error);
    return false;
  }
}

function ignoreUnauthenticated(error: unknown): void {
  if (!(error instanceof RealmwireError) || error.code !== Code.Unauthenticated) throw error;
}

/** Beside the sessions of the game's own client, which play a character. */
function fileOf({ env }: Io, { url, user }: Settings): Storage {
  return createFileStorage(sessionPath(join(stateFolder(env), "admin"), url, user));
}
