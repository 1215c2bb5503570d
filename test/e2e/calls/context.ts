import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { freshName, loginPlayer, registerPlayer } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { DEV_PASSWORD, startTestServer } from "../../support/server.ts";
import type { Protocol, TestServer } from "../../support/server.ts";

/** The server that the suites of the calls share. It runs while their tests do. */
export interface CallsServer extends TestServer {
  /** A player with a new account. */
  player(stem?: string): Promise<TestPlayer>;
  /** A session of a new account with this role. */
  as(role: Role, options?: { protocol?: Protocol }): Promise<TestPlayer>;
  /** Another session of an account. */
  login(name: string, options?: Parameters<typeof loginPlayer>[2]): Promise<TestPlayer>;
  /** Logs everybody out: the next test is to find the world empty. */
  dismiss(): Promise<void>;
}

/** Starts the server of the suites, with so many threads for zones. */
export async function startCallsServer(threads: string): Promise<CallsServer> {
  const server = await startTestServer({ args: { threads, "linger-ms": "500" } });
  const { baseUrl } = server;
  let present: TestPlayer[] = [];
  const noted = async (arriving: Promise<TestPlayer>) => {
    const player = await arriving;
    present.push(player);
    return player;
  };
  const login: CallsServer["login"] = (name, options) => noted(loginPlayer(baseUrl, name, options));
  return {
    ...server,
    login,
    player: (stem = "Pla") => noted(registerPlayer(baseUrl, stem)),
    async as(role, options) {
      const name = freshName(role === Role.ADMIN ? "Adm" : role === Role.BUILDER ? "Bui" : "Pla");
      await server.server.accounts.create({ name, password: DEV_PASSWORD, role });
      return login(name, options);
    },
    async dismiss() {
      const leaving = present;
      present = [];
      for (const player of leaving) player.close();
      // Some have no session any more: that is what their tests were about.
      await Promise.allSettled(leaving.map((player) => player.account.logout({})));
    },
  };
}
