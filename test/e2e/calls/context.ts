import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { freshName, loginPlayer } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { DEV_PASSWORD, startTestServer } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";

/** The server that the suites of the calls share. It runs while their tests do. */
export interface CallsServer extends TestServer {
  /** A session of a new account with this role. */
  as(role: Role, stem?: string): Promise<TestPlayer>;
}

/** Starts the server of the suites. */
export async function startCallsServer(): Promise<CallsServer> {
  const server = await startTestServer({ args: { "linger-ms": "500" } });
  return {
    ...server,
    async as(role, stem = "Cal") {
      const name = freshName(stem);
      await server.server.accounts.create({ name, password: DEV_PASSWORD, role });
      return loginPlayer(server.baseUrl, name);
    },
  };
}
