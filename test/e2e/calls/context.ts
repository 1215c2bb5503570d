import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { type CountedWay, createCountedWay, type Way } from "../../support/counted-way.ts";
import { freshName, loginPlayer, registerPlayer } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { clientFor, DEV_PASSWORD, startTestServer } from "../../support/server.ts";
import type { Protocol, TestServer } from "../../support/server.ts";

/** The server that the suites of the calls share. It runs while their tests do. */
export interface CallsServer extends TestServer, CountedWay {
  /** What clients speak that are not told otherwise. */
  readonly protocol: Protocol;
  /** From now on clients speak this. */
  speak(protocol: Protocol): void;
  /** A client. Default: without a session. */
  client<S extends DescService>(service: S, token?: string): Client<S>;
  /** A player with a new account. */
  player(stem?: string): Promise<TestPlayer>;
  /** A session of a new account with this role. */
  as(role: Role, options?: { protocol?: Protocol }): Promise<TestPlayer>;
  /** Another session of an account. */
  login(name: string, options?: Parameters<typeof loginPlayer>[2]): Promise<TestPlayer>;
  /** Logs everybody out: the next test is to find the world empty. */
  dismiss(): Promise<void>;
}

/** The services whose calls these are. */
export async function loadOwnServices(): Promise<DescService[]> {
  const { services } = await loadRuledTypes();
  return services.filter(({ typeName }) => typeName.startsWith("realmwire.v1."));
}

/** Starts the server of the suites, with so many threads for zones. */
export async function startCallsServer(threads: string, way: Way): Promise<CallsServer> {
  const counted = createCountedWay(way);
  const server = await startTestServer({
    args: { threads, "linger-ms": "500" },
    parts: { answerCalls: counted.answerCalls },
  });
  let spoken: Protocol = "connect";
  const { baseUrl } = server;
  let present: TestPlayer[] = [];
  const noted = async (arriving: Promise<TestPlayer>) => {
    const player = await arriving;
    present.push(player);
    return player;
  };
  const login: CallsServer["login"] = (name, options) =>
    noted(loginPlayer(baseUrl, name, { protocol: spoken, ...options }));
  return {
    ...server,
    ...counted,
    get protocol() {
      return spoken;
    },
    speak: (protocol) => void (spoken = protocol),
    client: (service, token) => clientFor(service, baseUrl, token, spoken),
    login,
    player: (stem = "Pla") => noted(registerPlayer(baseUrl, stem, spoken)),
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
