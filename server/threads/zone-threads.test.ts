import { rm } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { writeGame } from "../../test/support/broken-game.ts";
import { writeDeadlyGame } from "../../test/support/deadly-game.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { input } from "../../test/support/sim.ts";
import { createLocalBus } from "../bus/local-bus.ts";
import { loadGame } from "../load-game.ts";
import type { LoadedGame } from "../load-game.ts";
import { replay } from "../sim/replay.ts";
import { startRemoteEngine } from "../zone/remote-engine.ts";
import type { EngineFailure, ZoneEngine } from "../zone/zone-engine.ts";
import { createZoneThreads } from "./zone-threads.ts";

let folder: string;
let game: LoadedGame;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await writeDeadlyGame();
  game = await loadGame(folder);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function setUp(count: number, options: { game?: string; hungAfterMs?: number } = {}) {
  const { logger, lines } = createMemoryLog();
  const bus = createLocalBus();
  await bus.start();
  const threads = createZoneThreads({ count, bus, logger, game: folder, node: "n", ...options });
  closing.push(async () => {
    await threads.close();
    await bus.close();
  });
  let run = 0;

  /** Starts the town on a thread, with Ada in it. */
  async function startTown() {
    const { maps, types, kinds, tickRateHz } = game.world;
    const map = maps.get("town");
    if (!map) throw new Error("there is no town");
    const place = await threads.take();
    const rules = {
      hasKind: (kind: string) => kinds.has(kind),
      hasZone: (zone: string) => maps.has(zone),
      attribute: types.attribute,
    };
    const rest = { rules, tickRateHz, objects: [], seed: "seed", run: ++run };
    const engine = await startRemoteEngine({ bus, place, map, ...rest });
    const failures: EngineFailure[] = [];
    engine.start({
      onTick() {},
      onSpeed() {},
      onFailure: (failure) => failures.push(failure),
    });
    const character = { name: "ada", characterId: 1, kind: EntityKind.CHARACTER };
    await engine.apply(input({ case: "join", value: { character } }));
    return { engine, failures, host: place.host };
  }

  return { threads, lines, startTown };
}

async function shout(engine: ZoneEngine, text: string) {
  return await engine.apply(input({ case: "say", value: { name: "ada", text, shout: true } }));
}

const stopped = { reason: ErrorReason.ZONE_STOPPED };

test("zones go where the least is to do, and what has ended counts no more", async () => {
  const { threads } = await setUp(2);
  await threads.start();
  const places = [];
  for (let i = 0; i < 6; i++) places.push(await threads.take());
  const hosts = places.map(({ host }) => host);
  expect(new Set(hosts).size).toBe(2);
  for (const host of hosts) expect(hosts.filter((other) => other === host)).toHaveLength(3);
  const [first] = places;
  first?.release();
  first?.release();
  expect((await threads.take()).host).toBe(first?.host);
  expect((await threads.take()).host).toBe(hosts[0]);
});

test("many zones run side by side on two threads, each by its own clock", async () => {
  const { threads, startTown } = await setUp(2);
  await threads.start();
  const towns = [];
  for (let i = 0; i < 8; i++) towns.push(await startTown());
  const hosts = towns.map(({ host }) => host);
  expect(hosts.filter((host) => host === hosts[0])).toHaveLength(4);
  for (const { engine } of towns) {
    await expect.poll(() => engine.source.tick, { timeout: 10_000 }).toBeGreaterThan(3);
    expect((await engine.read("ada"))?.entity.name).toBe("ada");
  }
  expect(towns.flatMap(({ failures }) => failures)).toEqual([]);
  await Promise.all(towns.map(({ engine }) => engine.stop()));
});

test("a game that cannot be loaded is told at the start, and no thread is left", async () => {
  const broken = await writeGame({ fields: 'startZone: "void",' });
  const { threads } = await setUp(2, { game: broken });
  await expect(threads.start()).rejects.toThrow('there is no map "void"');
  await rm(broken, { recursive: true, force: true });
});

test("what a thread logs comes into the one log, errors as errors, with its name", async () => {
  const { threads, lines, startTown } = await setUp(1);
  await threads.start();
  const { engine, host } = await startTown();
  await shout(engine, "fail");
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  expect(lines[0]).toMatchObject({
    level: "warn",
    message: "a behaviour failed and was ended",
    fields: { thread: host, zone: "town", err: { message: "at home" } },
  });
  expect(lines[0]?.fields).toHaveProperty("err", expect.any(Error));
  expect(await shout(engine, "still there?")).toMatchObject({ kind: { case: "chat" } });
});

test.each(["exit", "throw"])(
  "a thread that ends by %s leaves the recordings of its zones, and a new one takes its place",
  async (way) => {
    const { threads, lines, startTown } = await setUp(1);
    await threads.start();
    const { engine, failures, host } = await startTown();
    const last = shout(engine, way).catch((error: unknown) => error);
    await expect.poll(() => failures.length, { timeout: 10_000 }).toBe(1);
    if (way === "exit") expect(await last).toMatchObject(stopped);
    await expect(engine.read("ada")).rejects.toMatchObject(stopped);
    await expect(engine.row("ada")).rejects.toMatchObject(stopped);
    expect(await engine.stop()).toEqual([]);

    const recording = fromBinary(RecordingSchema, failures[0]?.recording ?? new Uint8Array());
    const inputs = recording.inputs.map(({ input: item }) => item?.kind.case);
    expect(inputs.at(-1)).toBe("say");
    // What ended the thread would end this one too.
    recording.inputs.pop();
    const { maps, types, kinds } = game.world;
    const again = replay(recording, { types, kinds, zones: [...maps.keys()] });
    expect(again.divergedAt).toBeUndefined();
    expect(again.zone.brief("ada")).toBeDefined();

    const next = await startTown();
    expect(next.host).not.toBe(host);
    expect(next.engine.characterCount()).toBe(1);
    expect(failures).toHaveLength(1);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "error", message: "a thread for zones ended" }),
    );
  },
);

test("a thread that never comes back is ended, and the other one goes on", async () => {
  const { threads, lines, startTown } = await setUp(2, { hungAfterMs: 400 });
  await threads.start();
  const hung = await startTown();
  const other = await startTown();
  expect(other.host).not.toBe(hung.host);
  await expect(shout(hung.engine, "hang")).rejects.toMatchObject(stopped);
  expect(hung.failures).toHaveLength(1);
  expect(await shout(other.engine, "hello")).toMatchObject({ kind: { case: "chat" } });
  expect(other.failures).toEqual([]);
  const line = lines.find(({ message }) => message === "a thread for zones ended");
  expect(line?.fields).toMatchObject({ thread: hung.host, zones: 1 });
  expect(line?.fields).toHaveProperty(
    "err.message",
    expect.stringContaining("no sign of life for 400 ms"),
  );
});

test("who waits for a place when the threads are closed is told so", async () => {
  const { threads } = await setUp(1);
  const waiting = threads.take();
  await threads.close();
  await expect(waiting).rejects.toThrow("closed");
});
