import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enrollAll } from "../../../bench/servers/enroll.ts";
import { createScenario } from "../../../bench/world/scenario.ts";
import { createPasswords } from "../../../server/account/passwords.ts";
import { loadGame } from "../../../server/load-game.ts";
import { createPgliteStore } from "../../../server/store/pglite-store.ts";
import { type ChildServer, runServer, serverArgs } from "../../support/child-server.ts";
import { layEmptyDatabase } from "../../support/empty-database.ts";
import { connectInspector, type Inspector } from "../../support/inspector.ts";
import { DEV_PASSWORD, root } from "../../support/server.ts";

/** A plain without borders in sight, with the components of the default game. */
export const CROWD_GAME = join(root, "bench/unary/game");
/** How many others somebody sees from home, about. */
export const NEIGHBOURS = 30;

/** A server as people run it, with a crowd that has accounts, and with a look into its memory. */
export interface CrowdServer {
  readonly baseUrl: string;
  readonly port: number;
  /** Of each account a token; its name is `p` and the number, its password that of all tests. */
  readonly tokens: readonly string[];
  readonly inspector: Inspector;
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Stores a crowd, spread over the plain, and starts a server. */
export async function startCrowdServer(people: number): Promise<CrowdServer> {
  const data = await mkdtemp(join(tmpdir(), "realmwire-crowd-"));
  const tokens = await enrollCrowd(data, people);
  // Whoever leaves is gone soon.
  const args = serverArgs(data, "--game", CROWD_GAME, "--linger-ms", "500");
  const server: ChildServer = runServer(args, {
    NODE_OPTIONS: "--inspect=127.0.0.1:0",
  });
  const { baseUrl, port } = await server.ready();
  const inspector = await connectInspector(server.stderr);
  return {
    baseUrl,
    port,
    tokens,
    inspector,
    connections: () =>
      inspector.evaluate(
        "process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length",
      ),
    async close() {
      inspector.close();
      await server.dispose();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Stores a crowd into a data folder without a database, spread over the plain; of each a token comes back. */
export async function enrollCrowd(data: string, people: number): Promise<string[]> {
  const game = await loadGame(CROWD_GAME);
  const { registry } = game.world.types;
  const dataDir = join(data, "database");
  await layEmptyDatabase(dataDir);
  const store = createPgliteStore({ dataDir, registry });
  await store.start();
  try {
    const passwordHash = await createPasswords().hash(DEV_PASSWORD);
    const { homes } = createScenario({ players: people, neighbours: NEIGHBOURS });
    const crowd = homes.map((home, i) => ({ name: `p${i}`, home, passwordHash }));
    return await enrollAll(store, game, crowd);
  } finally {
    await store.close();
  }
}
