import { rm } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ZoneService } from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { loadGame } from "../../server/load-game.ts";
import { CHEST, writeProbeGame } from "../support/probe-game.ts";
import { createRuleSwitch } from "../support/rule-switch.ts";
import { faultsOf, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { callAll, happen, happenings, valueFor } from "./leaks/happenings.ts";
import { rules, tellingAnswers } from "./leaks/readers.ts";
import { CHESTS, openLeakWorld } from "./leaks/world.ts";
import type { LeakWorld } from "./leaks/world.ts";

/** Worlds that are tried, and what happens in each, at most. */
const WORLDS = 6;
const HAPPENINGS = 40;

let folder: string;
let server: TestServer | undefined;
let world: LeakWorld | undefined;

beforeAll(async () => {
  folder = await writeProbeGame();
});

afterEach(async () => {
  await world?.close();
  await server?.dispose();
  world = undefined;
  server = undefined;
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Holds in every world: nothing was found while things happened. */
function nothingLeaks(world: LeakWorld) {
  return fc.asyncProperty(
    fc.array(happenings, { minLength: 10, maxLength: HAPPENINGS }),
    async (events) => {
      for (const reader of world.readers) await reader.watch(false);
      for (const event of events) await happen(world, event);
      expect(world.takeLeaks()).toEqual([]);
    },
  );
}

/** Attributes that things can be put with, none of them with the value that counts as unset: all but the owner, which is said apart. */
const attributes = Object.fromEntries(
  rules.rows
    .filter(({ name }) => name !== "body.owner")
    .map(({ name, field }) => [name, valueFor(field, 2)]),
);

/** A chest for each of the first readers, with every attribute. */
async function putAll(world: LeakWorld): Promise<void> {
  for (let i = 0; i < CHESTS; i++) await world.put(i, CHEST, world.nameOf(i), attributes);
}

test.each(["0", "2"])(
  "[PY-14] no message holds what its reader may not see, with %s threads",
  { timeout: 120_000 },
  async (threads) => {
    server = await startTestServer({ args: { game: folder, threads } });
    world = await openLeakWorld(server);
    await fc.assert(nothingLeaks(world), { numRuns: WORLDS, endOnFailure: true });
    await putAll(world);
    await callAll(world);
    expect(world.takeLeaks()).toEqual([]);
    // In every kind of answer in which an attribute can stand, some were looked at.
    const silent = tellingAnswers.filter((name) => !world?.judged.get(name));
    expect(silent).toEqual([]);
    for (const { streamed } of world.readers) expect(streamed).toBeGreaterThan(WORLDS);
    expect(faultsOf(server)).toEqual([]);
  },
);

test(
  "it fails as soon as any one rule is turned off, on the stream, by Get and in the map",
  { timeout: 120_000 },
  async () => {
    const game = await loadGame(folder);
    const { turnOff } = createRuleSwitch(game);
    server = await startTestServer({ game });
    world = await openLeakWorld(server);
    const [owner, stranger] = [world.reader(0), world.reader(1)];
    for (const reader of world.readers) await reader.watch(false);
    const hidden = rules.rows.filter(({ sees }) => !sees.stranger).map(({ name }) => name);
    // A stranger's Get, its stream and its map.
    const wanted = ["GetMapResponse", "GetResponse", "UpdateResponse"];
    for (const rule of [undefined, ...hidden]) {
      turnOff(rule);
      // A new thing each time: what the others look like was kept, with the rules that held when it was first looked at.
      const chest = await world.put(0, CHEST, owner.name, attributes);
      await stranger.watch(false);
      await stranger.world.get({ name: chest });
      await stranger.call(ZoneService.method.getMap, undefined);
      await stranger.unwatch();
      const found = world
        .takeLeaks()
        .filter(({ reader, of }) => reader.name === stranger.name && of === chest);
      expect(new Set(found.map(({ what }) => what)), rule).toEqual(new Set(rule ? [rule] : []));
      const messages = [...new Set(found.map(({ message }) => message))];
      expect(messages.sort(), rule).toEqual(rule ? wanted : []);
    }
    expect(hidden.length).toBeGreaterThan(20);
  },
);

test("random worlds find a rule that is turned off too", { timeout: 120_000 }, async () => {
  const game = await loadGame(folder);
  server = await startTestServer({ game });
  world = await openLeakWorld(server);
  createRuleSwitch(game).turnOff("purse.gold");
  const result = await fc.check(nothingLeaks(world), { numRuns: WORLDS, endOnFailure: true });
  expect(result.failed).toBe(true);
});
