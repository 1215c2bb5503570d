import { createClient } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  type ChildServer,
  createDataFolders,
  type DataFolders,
  runServer,
  serverArgs,
} from "../support/child-server.ts";
import { eventually, failureOf, loginPlayer } from "../support/player.ts";
import type { Place, TestPlayer } from "../support/player.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { createTransport, DEV_PASSWORD } from "../support/server.ts";
import { putSignpost, valueOf } from "../support/values.ts";
import { distance, mapOf, openPlaces } from "../support/walking.ts";

/** Acknowledged calls of each kind before the server is killed: enough for batches to overlap. */
const ACKNOWLEDGED = 8;
/** A crash may cost a second of a walk; the rest is for a tick, the stream and the write itself. */
const LOST_MS = 1_600;
const SPEED = 6;

let folders: DataFolders;
let server: ChildServer | undefined;
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
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

/** What was acknowledged so far, over all crashes. */
interface Ledger {
  readonly accounts: string[];
  /** What was added in all. */
  added: number;
  readonly posts: string[];
  /** At each crash one account, one edit and this many additions may have been on their way. */
  crashes: number;
}

const ADDERS = 4;
/** Crashes in a row. */
const ROUNDS = 2;

/** Makes calls of one kind, one after the other, until the server is gone. */
async function repeat(call: (index: number) => Promise<void>): Promise<void> {
  try {
    for (let index = 0; ; index++) await call(index);
  } catch {
    // The server was killed, which is the point.
  }
}

/** Calls of all kinds at once, until enough were acknowledged and a moment more; then the server is killed. */
async function liveAndCrash(baseUrl: string, ledger: Ledger): Promise<void> {
  const round = ++ledger.crashes;
  const { accounts, posts } = ledger;
  const before = { accounts: accounts.length, posts: posts.length, added: ledger.added };
  const anonymous = createClient(WorldService, createTransport(baseUrl, "grpc"));
  const ada = await loginPlayer(baseUrl, "ada", { protocol: "grpc" });
  const builder = await loginPlayer(baseUrl, "builder", { protocol: "grpc" });
  const work = [
    repeat(async (index) => {
      const name = `R${round}n${index}`;
      await anonymous.new({ name, password: DEV_PASSWORD });
      accounts.push(name);
    }),
    ...Array.from({ length: ADDERS }, () =>
      repeat(async () => {
        await ada.world.set({ attribute: "steps", change: { case: "add", value: valueOf(1n) } });
        ledger.added++;
      }),
    ),
    repeat(async (index) => {
      const name = `post-${round}-${index}`;
      const at = { x: 20.5 + (index % 10), y: 24.5 };
      await builder.world.edit({ commands: [putSignpost(name, at, name)] });
      posts.push(name);
    }),
  ];
  await eventually("enough answers", () => {
    const fresh = [
      accounts.length - before.accounts,
      posts.length - before.posts,
      ledger.added - before.added,
    ];
    return Math.min(...fresh) >= ACKNOWLEDGED;
  });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
  await crash();
  await Promise.all(work);
}

/** Each acknowledged change is there once; of those that were under way each is there once or not at all. */
async function checkLedger(baseUrl: string, ledger: Ledger): Promise<void> {
  const { accounts, posts, added, crashes } = ledger;
  const ada = await loginPlayer(baseUrl, "ada");
  // No more than the limit of the call lets through at once: the others were looked at after the crash before.
  for (const name of accounts.slice(-30)) {
    expect(await ada.zone.locateCharacter({ name })).toMatchObject({ name, zone: "town" });
  }
  const last = accounts.at(-1) ?? "";
  const again = failureOf(ada.world.new({ name: last, password: DEV_PASSWORD }));
  expect(await again).toMatchObject({ reason: ErrorReason.NAME_TAKEN });
  const { characters } = await (await loginPlayer(baseUrl, last)).account.listCharacters({});
  expect(characters.map(({ name }) => name)).toEqual([last]);

  const { steps } = await ada.get("", ["steps"]);
  expect(Number(steps)).toBeGreaterThanOrEqual(added);
  expect(Number(steps)).toBeLessThanOrEqual(added + crashes * ADDERS);

  const { revision, objects } = await mapOf(ada, "town");
  const stored = objects.map(({ name }) => name).filter((name) => name.startsWith("post-"));
  expect(new Set(stored).size).toBe(stored.length);
  expect(stored).toHaveLength(revision - 1);
  expect(stored).toEqual(expect.arrayContaining(posts));
  expect(stored.length).toBeLessThanOrEqual(posts.length + crashes);
  for (const post of posts.slice(-2)) expect(await ada.get(post, ["text"])).toEqual({ text: post });
}

async function crashAgainAndAgain(args: readonly string[], rounds: number): Promise<Ledger> {
  const ledger: Ledger = { accounts: [], added: 0, posts: [], crashes: 0 };
  let baseUrl = await start(args);
  for (let round = 0; round < rounds; round++) {
    await liveAndCrash(baseUrl, ledger);
    baseUrl = await start(args);
    await checkLedger(baseUrl, ledger);
  }
  return ledger;
}

/** Numbers of threads that zones are spread over. */
const THREADS = ["0", "2"];
/** A server that was killed starts anew after each round. */
const CRASHES_TIMEOUT_MS = 90_000;

test.each(THREADS)(
  "[JW-7] kill -9, several times, loses nothing that was acknowledged, and makes nothing twice, with %s threads",
  async (threads) => {
    const args = serverArgs(await folders.next(), "--threads", threads);
    const ledger = await crashAgainAndAgain(args, ROUNDS);
    expect(ledger.posts.length).toBeGreaterThanOrEqual(ROUNDS * ACKNOWLEDGED);
  },
  CRASHES_TIMEOUT_MS,
);

test("[JW-7] neither does it with PostgreSQL", async (context) => {
  const programs = findPostgres();
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
  postgres = await startPostgres(programs ?? "");
  const url = await postgres.createDatabase();
  const args = serverArgs(await folders.next(), "--database-url", url);
  const ledger = await crashAgainAndAgain(args, 1);
  expect(ledger.posts.length).toBeGreaterThanOrEqual(ACKNOWLEDGED);
});

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
    const again = await loginPlayer(await start(args), "ada");
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
