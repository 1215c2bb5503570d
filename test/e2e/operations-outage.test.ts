import { Code, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  eventually,
  failureOf,
  freshName,
  loginPlayer,
  registerPlayer,
} from "../support/player.ts";
import type { TestPlayer, Watcher } from "../support/player.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { createTransport, DEV_PASSWORD, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { putSignpost, setBarrier, valueOf } from "../support/values.ts";
import { distance, isBlocked, mapOf, portalTo, walkSomewhere } from "../support/walking.ts";

/** How long the database may take to answer here. */
const STORE_TIMEOUT_MS = 1_500;
/** A call may wait for a batch that is under way and then for its own; the rest is for a busy machine. */
const ANSWER_MS = 2 * STORE_TIMEOUT_MS + 1_500;

const programs = findPostgres();
let postgres: PostgresServer;
let databaseUrl = "";
let server: TestServer;
let ada: TestPlayer;
let bob: TestPlayer;
let builder: TestPlayer;
let bobSees: Watcher;

beforeAll(async () => {
  if (!programs) return;
  postgres = await startPostgres(programs);
  databaseUrl = await postgres.createDatabase();
  const args = {
    "database-url": databaseUrl,
    "store-timeout-ms": String(STORE_TIMEOUT_MS),
  };
  server = await startTestServer({ args });
  ada = await loginPlayer(server.baseUrl, "ada");
  bob = await loginPlayer(server.baseUrl, "bob");
  builder = await loginPlayer(server.baseUrl, "builder");
  await ada.world.get({});
  bobSees = bob.watch();
  await bobSees.until("Ada", () => bobSees.joined.includes("ada"));
});

beforeEach((context) => {
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
});

afterAll(async () => {
  bob?.close();
  await server?.dispose();
  await postgres?.close();
});

function add(player: TestPlayer, attribute: string, amount: bigint) {
  return player.world.set({ attribute, change: { case: "add", value: valueOf(amount) } });
}

function setTo(player: TestPlayer, attribute: string, value: string) {
  return player.world.set({ attribute, change: { case: "value", value: valueOf(value) } });
}

/** Waits for calls to be refused because the store is away, each in bounded time and with a delay to try again. */
async function expectUnavailable(calls: readonly Promise<unknown>[]): Promise<void> {
  const began = performance.now();
  for (const failure of await Promise.all(calls.map(failureOf))) {
    expect(failure).toMatchObject({
      code: Code.Unavailable,
      reason: ErrorReason.STORE_UNAVAILABLE,
    });
    const { seconds = 0n, nanos = 0 } = failure.detail?.retryDelay ?? {};
    expect(Number(seconds) + nanos / 1e9).toBeGreaterThan(0);
  }
  expect(performance.now() - began).toBeLessThan(ANSWER_MS);
}

async function statusOf(page: "healthz" | "readyz"): Promise<number> {
  return (await fetch(`${server.baseUrl}/${page}`)).status;
}

/** The mood of Ada that Bob's stream shows. */
function moodThatBobSees(): string | undefined {
  const entity = [...bobSees.view.entities.values()].find(({ name }) => name === "ada");
  const creature = entity?.components.get("meadow.v1.Creature") as { mood?: string } | undefined;
  return creature?.mood;
}

const outages: readonly [what: string, away: () => Promise<void>, back: () => Promise<void>][] = [
  ["stopped", () => postgres.stop(), () => postgres.restart()],
  ["frozen", () => postgres.pause(), () => postgres.resume()],
];

test.each(outages)(
  "while the database is %s nothing is acknowledged, the world goes on, and nothing diverges",
  async (what, away, back) => {
    await setTo(ada, "mood", "calm");
    const { steps: before } = await ada.get("", ["steps"]);
    const { revision } = await mapOf(bob);
    const name = `Lost-${what}`;
    const anonymous = createClient(WorldService, createTransport(server.baseUrl, "connect"));

    await away();
    // What the calls apply is taken back, also when several change one thing.
    await expectUnavailable([
      ...[1n, 10n, 100n].map((amount) => add(ada, "steps", amount)),
      setTo(ada, "mood", "angry"),
      setTo(ada, "mood", "furious"),
      anonymous.new({ name, password: DEV_PASSWORD }),
      builder.world.edit({ commands: [setBarrier(0, 0, true)] }),
    ]);
    expect(await ada.get("", ["steps", "mood"])).toEqual({ steps: before, mood: "calm" });
    await bobSees.until("the calm that was", () => moodThatBobSees() === "calm");
    expect((await mapOf(bob)).revision).toBe(revision);

    // Meanwhile the world goes on: ticks, walks and talk.
    const scenes = bobSees.scenes.length;
    const { tick } = bobSees.view;
    const from = await ada.position();
    const text = `is anybody there, ${what}?`;
    await ada.chat.say({ text });
    await bobSees.until("what Ada says", () => bobSees.heard.some((said) => said.text === text));
    const adaSees = ada.watch();
    await walkSomewhere(ada, adaSees);
    adaSees.close();
    await bobSees.until("Ada walking", () => {
      const { position } = bobSees.view.named("ada") ?? {};
      return position && distance(position, from) > 0.5;
    });
    await bobSees.until("ten ticks", () => bobSees.view.tick >= tick + 10);
    expect(bobSees.scenes).toHaveLength(scenes);
    expect((await fetch(`${server.baseUrl}/healthz`)).status).toBe(200);

    await back();
    await eventually("a database that answers", () =>
      setTo(ada, "mood", "relieved").then(
        () => true,
        () => false,
      ),
    );
    // The same again is acknowledged now, and once.
    await add(ada, "steps", 1000n);
    expect(await ada.get("", ["steps"])).toEqual({ steps: (before as bigint) + 1000n });
    const { revision: after } = await builder.world.edit({
      commands: [setBarrier(0, 0, true), putSignpost(`post-${what}`, { x: 2.5, y: 2.5 }, what)],
    });
    await bobSees.until("the edit", () =>
      bobSees.flags.some((flag) => flag.case === "map" && flag.value.revision === after),
    );
    expect(isBlocked(await mapOf(bob), 0, 0)).toBe(true);
    await eventually("an account", () =>
      anonymous.new({ name, password: DEV_PASSWORD }).then(
        () => true,
        // Made while nobody heard the answer: then it is there.
        (error: unknown) => String(error).includes("taken"),
      ),
    );
  },
);

test.each(outages)(
  "while the database is %s no account, character or session changes, and who plays goes on in other zones too",
  async (what, away, back) => {
    const owner = await registerPlayer(server.baseUrl, "Own");
    const spare = freshName("Spare");
    await owner.account.createCharacter({ name: spare });
    const walker = await registerPlayer(server.baseUrl, "Walk");
    const sees = walker.watch();
    await sees.until("a scene", () => sees.scenes.length > 0);
    const { middle } = portalTo(await mapOf(walker, "town"), "meadow");
    const anonymous = createClient(WorldService, createTransport(server.baseUrl, "connect"));
    const before = await owner.account.listCharacters({});
    const added = freshName("Added");

    await away();
    await expectUnavailable([
      anonymous.login({ name: "bob", password: DEV_PASSWORD }),
      owner.account.createCharacter({ name: added }),
      owner.account.selectCharacter({ name: spare }),
      owner.account.deleteCharacter({ name: spare }),
      owner.account.changePassword({ oldPassword: DEV_PASSWORD, newPassword: "something else" }),
      owner.account.logout({}),
      builder.world.set({
        name: `post-${what}`,
        attribute: "text",
        change: { case: "value", value: valueOf("never said") },
      }),
      builder.world.edit({ undoRevision: 2 }),
    ]);
    // A stop is told where machines look for it, and only there: the process is well.
    await eventually("not ready", async () => (await statusOf("readyz")) === 503);
    expect(await statusOf("healthz")).toBe(200);
    // A zone that is not running needs the store: the walker stays, or goes back, and walks on.
    expect((await walker.move("destination", middle)).moved).toBe(true);
    const { tick } = sees.view;
    await sees.until("ticks", () => sees.view.tick >= tick + 20);
    expect(sees.end).toBeUndefined();
    await walker.chat.say({ text: "still here" });
    await sees.until("its own word", () => sees.heard.some(({ text }) => text === "still here"));

    await back();
    await eventually("ready", async () => (await statusOf("readyz")) === 200);
    expect(await owner.account.listCharacters({})).toEqual(before);
    expect(await ada.get(`post-${what}`, ["text"])).toEqual({ text: what });
    const again = await loginPlayer(server.baseUrl, owner.name);
    expect(again.name).toBe(owner.name);
    await again.account.createCharacter({ name: added });
    await again.account.deleteCharacter({ name: spare });
    await eventually("the other zone", async () => {
      await walker.move("destination", middle).catch(() => undefined);
      return sees.scenes.includes("meadow");
    });
    walker.close();
  },
);

test("what was said and walked while it was away is in the store when it is back", async () => {
  await postgres.stop();
  await ada.chat.say({ text: "into the wind" });
  await expectUnavailable([add(ada, "steps", 1n)]);
  await postgres.restart();
  await eventually("the history", () =>
    ada.chat.listMessages({}).then(
      ({ messages }) => messages.some(({ text }) => text === "into the wind"),
      () => false,
    ),
  );
  const truth = await ada.get("", ["steps", "mood", "position"]);
  const { map } = await bob.zone.getMap({});
  // A server that knows only what was stored agrees with the one that lived through it.
  bob.close();
  await server.stop();
  const args = { "database-url": databaseUrl };
  const next = await startTestServer({ dataDir: server.dataDir, args });
  try {
    const again = await loginPlayer(next.baseUrl, "ada");
    expect(await again.get("", ["steps", "mood", "position"])).toEqual(truth);
    expect((await again.zone.getMap({})).map).toEqual(map);
  } finally {
    await next.stop();
  }
});
