import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { ReleaseService } from "../../gen/ts/realmwire/v1/release_service_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { failureOf, loginPlayer, registerPlayer } from "../support/player.ts";
import type { Place, TestPlayer } from "../support/player.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { clientFor, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { command, putSignpost, setBarrier, valueOf } from "../support/values.ts";
import { distance, isBlocked, mapOf, openPlaces, portalTo, walkUntil } from "../support/walking.ts";

const programs = findPostgres();
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  if (programs) postgres = await startPostgres(programs);
});
afterAll(() => postgres?.close());

/** What has to be the same after a restart. */
interface World {
  readonly newcomer: TestPlayer;
  readonly position: Place;
  readonly free: Place;
  readonly town: ZoneMap;
  readonly townEntities: readonly string[];
  readonly heard: readonly string[];
}

async function set(
  by: TestPlayer,
  name: string,
  attribute: string,
  value: string | bigint | number | boolean,
) {
  return await by.world.set({ name, attribute, change: { case: "value", value: valueOf(value) } });
}

/** The names of all in a running zone, in order. */
function namesIn(server: TestServer, zone: string): string[] {
  const { table } = server.server.zones.running(zone)?.source ?? {};
  if (!table) throw new Error(`${zone} does not run`);
  return table.names.filter((_, slot) => table.ids[slot] !== 0).toSorted();
}

async function live(server: TestServer): Promise<World> {
  const { baseUrl } = server;
  const builder = await loginPlayer(baseUrl, "builder");
  const admin = await loginPlayer(baseUrl, "admin");
  const bob = await loginPlayer(baseUrl, "bob");
  const newcomer = await registerPlayer(baseUrl, "Newcomer");
  const town = await mapOf(newcomer, "town");
  const [free = { x: 0, y: 0 }] = openPlaces(town, { x: 25.5, y: 24.5 }, { atLeast: 3, atMost: 9 });

  // Attributes of a character, by its owner and by others.
  await set(newcomer, "", "notes", "Grüße, 世界");
  await set(newcomer, "", "mood", "curious");
  await set(builder, newcomer.name, "gold", 77n);
  await set(builder, newcomer.name, "speed", 20);
  // Nobody who stands around is in the way to the gate.
  await set(builder, newcomer.name, "physical", false);
  await newcomer.world.set({ attribute: "steps", change: { case: "add", value: valueOf(5n) } });
  // Things of the map.
  await set(builder, "well", "count", 41n);
  await set(builder, "signpost-gate", "text", "closed on Mondays");
  // The map: four edits, one of them taken back.
  await builder.world.edit({
    commands: [
      putSignpost("post-new", free, "first"),
      setBarrier(free.x - 1.5, free.y - 0.5, true),
    ],
  });
  await set(builder, "post-new", "text", "second");
  await builder.world.edit({ commands: [putSignpost("post-new", free, "third")] });
  await builder.world.edit({ commands: [command({ case: "removeObject", value: "lantern-1" })] });
  await builder.world.edit({ commands: [setBarrier(0, 0, true)] });
  const undone = await builder.world.edit({ undoRevision: 4 });
  expect(undone.revision).toBe(6);
  // Chat.
  await builder.world.get({});
  await bob.world.get({});
  const ear = newcomer.watch();
  await bob.chat.shout({ text: "hear, hear" });
  await ear.until("the shout", () => ear.heard.find(({ from }) => from === "bob"));
  await bob.chat.tell({ to: newcomer.name, text: "psst" });
  await newcomer.account.createCharacter({ name: `${newcomer.name}-two` });
  // A release.
  const clients = join(server.dataDir, "clients");
  const [current] = (await bob.world.version({})).clients;
  const from = join(clients, "typescript", current?.version ?? "");
  await cp(from, join(clients, "typescript", "9.9.9"), { recursive: true });
  const release = { platform: "typescript", version: "9.9.9", oldestWorking: "9.0.0" };
  await admin.client(ReleaseService).publishRelease(release);
  // Another zone, and a place there.
  const watcher = newcomer.watch();
  const gate = portalTo(town, "meadow").middle;
  await walkUntil(newcomer, watcher, gate, "the meadow", () => watcher.scenes.includes("meadow"));
  const before = await newcomer.position();
  await newcomer.move("direction", { x: 0, y: -1 });
  await watcher.until("a few steps", () => {
    const { position } = watcher.view.self ?? {};
    return position && distance(position, before) > 1;
  });
  await newcomer.move("direction", { x: 0, y: 0 });
  const position = await newcomer.position();
  const townEntities = namesIn(server, "town");
  const { messages } = await newcomer.chat.listMessages({});
  const heard = messages.map(({ from, text }) => `${from}: ${text}`);
  newcomer.close();
  return { newcomer, position, free, town: await mapOf(bob, "town"), townEntities, heard };
}

async function check(server: TestServer, world: World): Promise<void> {
  const { baseUrl } = server;
  const { newcomer: before, free } = world;
  // [SM-2] The token of before still works.
  const byToken = clientFor(WorldService, baseUrl, before.token);
  expect((await byToken.get({ attributes: ["name"] })).attributes["name"]?.kind.value).toBe(
    before.name,
  );
  const newcomer = await loginPlayer(baseUrl, before.name);
  expect(await newcomer.zone.locateCharacter({ name: newcomer.name })).toMatchObject({
    zone: "meadow",
  });
  expect(distance(await newcomer.position(), world.position)).toBeLessThan(0.01);
  const attributes = ["zone", "notes", "mood", "gold", "speed", "steps", "health"];
  expect(await newcomer.get("", attributes)).toEqual({
    zone: "meadow",
    notes: "Grüße, 世界",
    mood: "curious",
    gold: 77n,
    speed: 20,
    steps: 5n,
    health: 100n,
  });
  const { characters } = await newcomer.account.listCharacters({});
  expect(characters.map(({ name }) => name)).toEqual([newcomer.name, `${newcomer.name}-two`]);
  const { messages } = await newcomer.chat.listMessages({});
  expect(messages.map(({ from, text }) => `${from}: ${text}`)).toEqual(world.heard);
  expect(world.heard[0]).toBe("bob: psst");
  const again = await registerPlayer(baseUrl, "Somebody");
  expect(
    await failureOf(again.world.new({ name: newcomer.name, password: "x".repeat(9) })),
  ).toMatchObject({ metadata: { name: newcomer.name } });

  const bob = await loginPlayer(baseUrl, "bob");
  expect(await mapOf(bob, "town")).toEqual(world.town);
  expect(world.town.revision).toBe(6);
  expect(isBlocked(world.town, free.x - 1.5, free.y - 0.5)).toBe(true);
  expect(await bob.get("well", ["count"])).toEqual({ count: expect.toSatisfy(atLeast(41n)) });
  expect(await bob.get("signpost-gate", ["text"])).toEqual({ text: "closed on Mondays" });
  // What was said of the post before it was put anew was about another one.
  expect(await bob.get("post-new", ["text"])).toEqual({ text: "third" });
  expect(await bob.get("lantern-1", ["name"])).toEqual({ name: "lantern-1" });
  // [SM-24] Nothing is there twice, and nothing is missing.
  const builder = await loginPlayer(baseUrl, "builder");
  await builder.world.get({});
  await expect.poll(() => namesIn(server, "town")).toEqual(world.townEntities);
  expect(new Set(world.townEntities).size).toBe(world.townEntities.length);
  const { clients } = await bob.world.version({});
  expect(clients).toMatchObject([{ version: "9.9.9", oldestWorking: "9.0.0" }]);
}

/** Does something with a server and stops it, however that went. */
async function during<T>(server: TestServer, work: (server: TestServer) => Promise<T>): Promise<T> {
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

function atLeast(least: bigint) {
  return (value: unknown) => typeof value === "bigint" && value >= least;
}

const STORES: readonly [
  name: string,
  makeArgs: (context: TestContext) => Promise<Record<string, string>>,
][] = [
  ["a folder (PGlite)", async () => ({})],
  [
    "PostgreSQL",
    async (context) => {
      requireOrSkip(context, postgres !== undefined, POSTGRES_NEEDED);
      return { "database-url": (await postgres?.createDatabase()) ?? "" };
    },
  ],
];

describe.each(STORES)("with the store in %s", (_, makeArgs) => {
  test("[JW-7] [AL-15] [SM-2] [SM-6] [SM-24] a restart keeps everything", async (context) => {
    const args = await makeArgs(context);
    const dataDir = await mkdtemp(join(tmpdir(), "realmwire-"));
    try {
      const first = await startTestServer({ dataDir, args });
      const world = await during(first, live);
      expect(first.troubles).toEqual([]);
      const second = await startTestServer({ dataDir, args });
      await during(second, () => check(second, world));
      expect(second.troubles).toEqual([]);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
