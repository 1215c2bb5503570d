import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Registry } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadGame } from "../../server/load-game.ts";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { createPostgresStore } from "../../server/store/postgres-store.ts";
import type { Store } from "../../server/store/store.ts";
import { SAVE_INTERVAL_MS } from "../../server/zone/saver.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { eventually, loginPlayer } from "../support/player.ts";
import type { Place, TestPlayer } from "../support/player.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { root } from "../support/server.ts";
import { report, scaled, seededChance } from "../support/stress.ts";
import { valueOf } from "../support/values.ts";
import { distance, mapOf, openPlaces } from "../support/walking.ts";
import { checkAccounts, checkLedger, createLedger, liveAndCrash } from "./crash/ledger.ts";

/** A crash may cost a second of a walk; the rest is for a tick, the stream and the write itself. */
const LOST_MS = 1_600;
const SPEED = 6;

let folders: DataFolders;
let registry: Registry;
let server: ChildServer | undefined;
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
  registry = (await loadGame(join(root, "games/meadow"))).world.types.registry;
});
afterEach(() => server?.dispose());
afterAll(async () => {
  await folders.dispose();
  await postgres?.close();
});

async function start(args: readonly string[]): Promise<string> {
  server = runServer(args);
  return (await server.ready()).baseUrl;
}

async function crash(): Promise<void> {
  server?.signal("SIGKILL");
  expect(await server?.ended()).toMatchObject({ signal: "SIGKILL" });
}

/** Crashes in a row. */
const ROUNDS = scaled(2);
/** A kill comes within this time after enough was acknowledged. */
const LATEST_KILL_MS = 400;

/** Kills a server again and again; the store of its data is read in the end. */
async function expectNothingLost(what: string, args: readonly string[], store: Store) {
  const chance = seededChance(`crash ${what}`);
  const ledger = createLedger();
  let baseUrl = await start(args);
  for (let round = 0; round < ROUNDS; round++) {
    await liveAndCrash(baseUrl, ledger, { delayMs: chance() * LATEST_KILL_MS, crash });
    baseUrl = await start(args);
    await checkLedger(baseUrl, ledger);
  }
  await crash();
  await checkAccounts(store, ledger);
  const { accounts, added, posts, crashes } = ledger;
  report(
    `${what}: ${crashes} kills; ${accounts.length} accounts, ${added} additions, ${posts.length} edits acknowledged, all there once`,
  );
  expect(posts.length).toBeGreaterThanOrEqual(ROUNDS);
}

/** Numbers of threads that zones are spread over. */
const THREADS = ["0", "2"];
/** A server that was killed starts anew after each round. */
const CRASHES_TIMEOUT_MS = scaled(90_000);

test.each(THREADS)(
  "[JW-7] kill -9, several times, loses nothing that was acknowledged, and makes nothing twice, with %s threads",
  async (threads) => {
    const data = await folders.next();
    const store = createPgliteStore({ dataDir: join(data, "database"), registry });
    await expectNothingLost(
      `PGlite, ${threads} threads`,
      serverArgs(data, "--threads", threads),
      store,
    );
  },
  CRASHES_TIMEOUT_MS,
);

test(
  "[JW-7] neither does it with PostgreSQL",
  async (context) => {
    const programs = findPostgres();
    requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
    postgres = await startPostgres(programs ?? "");
    const url = await postgres.createDatabase();
    const args = serverArgs(await folders.next(), "--database-url", url);
    await expectNothingLost("PostgreSQL", args, createPostgresStore({ url, registry }));
  },
  CRASHES_TIMEOUT_MS,
);

interface Seen extends Place {
  readonly at: number;
}

test.each(THREADS)(
  "[JW-7] kill -9 costs a walk no more than about its last second, with %s threads",
  async (threads) => {
    const args = serverArgs(await folders.next(), "--threads", threads);
    const baseUrl = await start(args);
    const ada = await loginPlayer(baseUrl, "ada");
    const builder = await loginPlayer(baseUrl, "builder");
    await builder.world.set({
      name: "ada",
      attribute: "speed",
      change: { case: "value", value: valueOf(SPEED) },
    });
    const from = await ada.position();
    // What else is to be saved of it: from here on it does nothing but walk.
    await sleep(2 * SAVE_INTERVAL_MS);
    const way = await farPlace(ada, from);
    expect((await ada.move("destination", way)).moved).toBe(true);
    const track: Seen[] = [{ ...from, at: performance.now() }];
    let travelled = 0;
    await eventually("a long walk", async () => {
      const { x, y } = await ada.position();
      travelled += distance(track.at(-1) ?? from, { x, y });
      track.push({ x, y, at: performance.now() });
      // Longer than a crash may cost.
      return travelled > (SPEED * LOST_MS * 1.3) / 1000;
    });
    const killedAt = performance.now();
    await crash();
    const restarted = await start(args);
    // Whoever comes back first must not make the world forget where others were.
    const first = await loginPlayer(restarted, "builder");
    const room = await farPlace(first, await first.position());
    expect((await first.move("destination", room)).moved).toBe(true);
    await sleep(2 * SAVE_INTERVAL_MS);
    const again = await loginPlayer(restarted, "ada");
    const restored = await again.position();
    const recent = track.filter(({ at }) => killedAt - at < LOST_MS);
    const off = recent
      .slice(1)
      .map((seen, index) => distanceToLine(restored, recent[index] ?? seen, seen));
    // Walks are asked for now and then: between two answers there may be a corner.
    expect(Math.min(...off)).toBeLessThan(SPEED / 10);
    expect(distance(restored, from)).toBeGreaterThan(1);
  },
);

/** How far `place` is from the straight line between two others, in tiles. */
function distanceToLine(place: Place, from: Place, to: Place): number {
  const length = distance(from, to);
  if (length === 0) return distance(place, from);
  const along = (place.x - from.x) * (to.x - from.x) + (place.y - from.y) * (to.y - from.y);
  const share = Math.min(1, Math.max(0, along / length ** 2));
  return distance(place, {
    x: from.x + share * (to.x - from.x),
    y: from.y + share * (to.y - from.y),
  });
}

async function farPlace(player: TestPlayer, from: Place): Promise<Place> {
  const map = await mapOf(player);
  for (const place of openPlaces(map, from, { atLeast: 16, atMost: 22 })) {
    const { moved } = await player.move("destination", place);
    if (moved) return place;
  }
  throw new Error("no way leads far enough");
}
