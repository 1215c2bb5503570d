import { CHEST } from "../../support/probe-game.ts";
import { freshName, loginPlayer } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { DEV_PASSWORD } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { command, valueOf } from "../../support/values.ts";
import { type Caller, ROLE_OF } from "../../../scripts/access-matrix.ts";

/** A caller who logs in. */
export type Member = Exclude<Caller, "anonymous">;

/** A session of a new account with the role of this caller. */
export async function enlist(server: TestServer, member: Member): Promise<TestPlayer> {
  const name = await createAccount(server, member);
  return await loginPlayer(server.baseUrl, name);
}

/** The name of a new account, whose character is in the world for the first time when somebody logs in and plays. */
export async function createAccount(server: TestServer, member: Member): Promise<string> {
  // Long enough to be a password too.
  const name = freshName(`${member}-name`);
  await server.server.accounts.create({ name, password: DEV_PASSWORD, role: ROLE_OF[member] });
  return name;
}

/** Puts a chest where the builder stands, and gives it to somebody. An empty owner: to nobody. */
export async function putChest(builder: TestPlayer, owner: string): Promise<string> {
  const name = freshName("chest-name");
  const position = { ...(await builder.position()), z: 0 };
  const object = { name, kind: CHEST, position, attributes: { "body.owner": valueOf(owner) } };
  await builder.world.edit({ commands: [command({ case: "putObject", value: object })] });
  return name;
}
