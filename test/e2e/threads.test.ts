import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { loadGame } from "../../server/load-game.ts";
import type { LoadedGame } from "../../server/load-game.ts";
import { replay } from "../../server/sim/replay.ts";
import { createViewer } from "../../server/sim/viewer.ts";
import { WireWriter } from "../../server/sim/wire-writer.ts";
import type { Zone } from "../../server/sim/zone.ts";
import { writeDeadlyGame } from "../support/deadly-game.ts";
import { DEADLINE_MS, eventually, loginPlayer, readFailure, untilEnd } from "../support/player.ts";
import type { Place, TestPlayer, Watcher } from "../support/player.ts";
import { root, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { valueOf } from "../support/values.ts";
import { createViewClient, differences, plainExtras } from "../support/view-client.ts";
import type { Seen } from "../support/view-client.ts";
import { distance, mapOf, portalTo, walkUntil } from "../support/walking.ts";

/** How long people walk about: long enough to cross regions of the mirror. */
const WALK_MS = 4_000;

let server: TestServer | undefined;
let deadly: string;
let meadow: LoadedGame;

beforeAll(async () => {
  deadly = await writeDeadlyGame();
  meadow = await loadGame(join(root, "games/meadow"));
});
afterEach(async () => {
  await server?.dispose();
  server = undefined;
});
afterAll(() => rm(deadly, { recursive: true, force: true }));

async function start(args: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  server = await startTestServer({ args: { threads: "2", ...args } });
  return server;
}

/** Makes somebody fast, which a builder may. */
async function hurry(builder: TestPlayer, name: string, speed: number): Promise<void> {
  const value = valueOf(speed);
  await builder.world.set({ name, attribute: "speed", change: { case: "value", value } });
}

/** What one stream showed, tick by tick. */
function shownBy(watcher: Watcher) {
  const client = createViewClient();
  const ticks = new Map<number, { seen: Seen; acknowledged: number }>();
  for (const message of watcher.messages) {
    client.apply(toBinary(UpdateResponseSchema, message));
    const seen = structuredClone(client.seen);
    ticks.set(message.tick, { seen, acknowledged: message.acknowledged });
  }
  return ticks;
}

/** What a viewer in the zone's own process shows a character, asked after each tick. */
function eyesOf(name: string) {
  const client = createViewClient();
  const writer = new WireWriter();
  let viewer: ReturnType<typeof createViewer> | undefined;
  return (zone: Zone) => {
    const selfId = zone.brief(name)?.id;
    if (selfId === undefined) return undefined;
    const { viewRadius: radius } = meadow.game;
    viewer ??= createViewer({ source: zone, key: "k", selfId, character: name, radius, writer });
    const bytes = viewer.message(plainExtras);
    if (bytes) client.apply(bytes);
    client.reckon(zone.tick);
    const acknowledged = zone.stateOf(name)?.entity.sequence ?? 0;
    return { seen: client.seen, acknowledged };
  };
}

test("streams from a thread show tick by tick what the zone, simulated again here, shows, with the Moves that it has", async () => {
  const { baseUrl, server: running } = await start();
  const players = await Promise.all(
    ["ada", "bob", "builder"].map((who) => loginPlayer(baseUrl, who)),
  );
  const builder = players[2] as TestPlayer;
  const watchers = players.map((player) => player.watch());
  for (const watcher of watchers) await watcher.until("herself", () => watcher.view.self);
  for (const { name } of players) await hurry(builder, name, 12);
  const until = performance.now() + WALK_MS;
  await Promise.all(
    players.map(async (player, i) => {
      for (let turn = i; performance.now() < until; turn++) {
        const angle = turn * 2.1;
        await player.move("direction", { x: Math.cos(angle), y: Math.sin(angle) });
        if (turn % 8 === 0) await player.chat.say({ text: `turn ${turn}` });
        await new Promise((resolve) => setTimeout(resolve, 30 + ((turn * 37) % 90)));
      }
    }),
  );
  const recording = await running.zones.recording("town");
  for (const watcher of watchers) watcher.close();
  if (!recording) throw new Error("nothing was recorded");

  const { types, kinds, maps } = meadow.world;
  const eyes = players.map(({ name }, i) => ({
    look: eyesOf(name),
    shown: shownBy(watchers[i] as Watcher),
  }));
  let compared = 0;
  const { divergedAt } = replay(recording, { types, kinds, zones: [...maps.keys()] }, (zone) => {
    for (const { look, shown } of eyes) {
      const own = look(zone);
      const far = shown.get(zone.tick);
      if (!own || !far) continue;
      expect(differences(far.seen, { seen: own.seen, rim: new Set() })).toEqual([]);
      expect(far.acknowledged).toBe(own.acknowledged);
      compared++;
    }
  });
  expect(divergedAt).toBeUndefined();
  expect(compared).toBeGreaterThan(60);
});

/** Goes near the gate to another zone, where the last steps are to be made by direction. */
async function goToGate(player: TestPlayer, zone: string): Promise<Place> {
  const { middle } = portalTo(await mapOf(player), zone);
  // By asking: the stream has no news of somebody who walks straight on.
  let before: Place = { x: Number.NaN, y: Number.NaN };
  await eventually(`the gate to ${zone}`, async () => {
    const at = await player.position();
    if (distance(at, middle) < 3) return true;
    // At first, and when somebody was in the way for too long.
    if (!(distance(at, before) > 0)) await player.move("destination", middle);
    before = at;
    await new Promise((resolve) => setTimeout(resolve, 120));
    return false;
  });
  return middle;
}

test("calls on the way through a gate between two threads are carried out once, on one side or the other", async () => {
  const { baseUrl, troubles } = await start();
  const builder = await loginPlayer(baseUrl, "builder");
  const bob = await loginPlayer(baseUrl, "bob");
  const watcher = bob.watch();
  await watcher.until("himself", () => watcher.view.self);
  await hurry(builder, "bob", 6);
  const { steps: before } = await bob.get("", ["steps"]);
  let added = 0;
  for (const to of ["meadow", "town", "meadow"]) {
    const middle = await goToGate(bob, to);
    const isThere = () => watcher.scenes.at(-1) === to;
    const until = performance.now() + DEADLINE_MS;
    const calls: Promise<unknown>[] = [];
    // By the answers: the stream has no news of somebody who walks straight on.
    let at: Place = await bob.position();
    const noteAnswer = ({ position }: { position?: Place | undefined }) => {
      at = position ?? at;
    };
    while (!isThere() && performance.now() < until) {
      const { x, y } = at;
      const far = Math.max(0.01, distance({ x, y }, middle));
      calls.push(
        bob
          .move("direction", { x: (middle.x - x) / far, y: (middle.y - y) / far })
          .then(noteAnswer),
        bob.world.set({ attribute: "steps", change: { case: "add", value: valueOf(1n) } }),
        bob.get("", ["zone", "steps"]),
      );
      added++;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(isThere()).toBe(true);
    await Promise.all(calls);
  }
  expect(await bob.get("", ["steps"])).toEqual({ steps: (before as bigint) + BigInt(added) });
  expect(troubles).toEqual([]);
});

test("a thread that dies takes its own zones along, and nobody else: recorded, saved as far as promised, and there again", async () => {
  const { baseUrl, troubles, dataDir } = await start({ game: deadly });
  const builder = await loginPlayer(baseUrl, "builder");
  const ada = await loginPlayer(baseUrl, "ada");
  const bob = await loginPlayer(baseUrl, "bob");
  const bobSees = bob.watch();
  await bobSees.until("himself", () => bobSees.view.self);
  await hurry(builder, "bob", 12);
  const { middle } = portalTo(await mapOf(bob), "meadow");
  const inMeadow = () => bobSees.scenes.at(-1) === "meadow";
  await walkUntil(bob, bobSees, middle, "Bob in the meadow", inMeadow);
  const adaSees = ada.watch();
  await adaSees.until("herself", () => adaSees.view.self);
  await ada.world.set({ attribute: "notes", change: { case: "value", value: valueOf("kept") } });

  const last = ada.chat.shout({ text: "exit" }).catch(readFailure);
  expect(readFailure(await untilEnd(adaSees))).toMatchObject({
    reason: ErrorReason.ZONE_STOPPED,
    metadata: { zone: "town" },
  });
  expect(await last).toMatchObject({ reason: ErrorReason.ZONE_STOPPED });
  const files = await eventually("the recording", async () => {
    const found = await readdir(join(dataDir, "recordings")).catch(() => []);
    return found.length > 0 && found;
  });
  expect(files).toEqual([expect.stringMatching(/^town-\d+\.binpb$/)]);
  const bytes = await readFile(join(dataDir, "recordings", files[0] ?? ""));
  expect(fromBinary(RecordingSchema, bytes).inputs.at(-1)?.input?.kind.case).toBe("say");

  // Bob, on the other thread, has noticed nothing.
  await bob.move("direction", { x: 0, y: 1 });
  await bobSees.ticks(3);
  expect(bobSees.end).toBeUndefined();

  // Ada comes back: the town runs again.
  const again = await eventually(
    "Ada back",
    async () => await ada.get("", ["notes"]).catch(() => false),
  );
  expect(again).toEqual({ notes: "kept" });
  const ended = troubles.filter(({ message }) => message === "a thread for zones ended");
  expect(ended).toHaveLength(1);
});
