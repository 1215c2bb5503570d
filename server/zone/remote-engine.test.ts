import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, test } from "vitest";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { EventSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { ZoneTickSchema } from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { drawMap, input, testTypes } from "../../test/support/sim.ts";
import { command, valueOf } from "../../test/support/values.ts";
import { openPortPlaces } from "../../test/support/zone-places.ts";
import type { Bus } from "../bus/bus.ts";
import { createLocalBus } from "../bus/local-bus.ts";
import { startRemoteEngine } from "./remote-engine.ts";
import type { EngineFailure, TickReport } from "./zone-engine.ts";
import { packEvents, unpackEvents } from "./zone-messages.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const stopped = { reason: ErrorReason.ZONE_STOPPED };
const rules = { hasKind: () => true, hasZone: () => true, attribute: testTypes.attribute };
const character = { name: "ada", characterId: 7, kind: EntityKind.CHARACTER };
const joining = input({ case: "join", value: { character } });
const walking = input({
  case: "move",
  value: { name: "ada", move: { kind: { case: "direction", value: { x: 0.2 } } } },
});

/** A zone behind a port, with what it told. `lossy` sees every report and says whether it arrives. */
async function setUp(arrives: (subject: string) => boolean = () => true) {
  const map = drawMap(["........", "..@.....", "........"]);
  const { logger } = createMemoryLog();
  const hub = createLocalBus();
  await hub.start();
  const maps = new Map([["test", map]]);
  const world = { id: "test", types: testTypes, kinds: new Map(), maps, tickRateHz: 50 };
  const places = await openPortPlaces({ bus: hub, world, logger });
  closing.push(places.close, hub.close);
  const bus: Bus = {
    ...hub,
    subscribe: (pattern, handler) =>
      hub.subscribe(pattern, (payload, subject) => {
        if (arrives(subject)) handler(payload, subject);
      }),
  };
  const engine = await startRemoteEngine({
    ...{ bus, rules, map, objects: [], seed: "seed", run: 1, tickRateHz: 50 },
    place: await places.take(),
  });
  const ticks: TickReport[] = [];
  const failures: EngineFailure[] = [];
  engine.start({
    onTick: (report) => ticks.push(report),
    onSpeed() {},
    onFailure: (failure) => failures.push(failure),
  });
  const selfIn = () => {
    const { table } = engine.source;
    return Array.from({ length: table.limit }, (_, slot) => slot).find(
      (slot) => table.names[slot] === "ada" && table.ids[slot] !== 0,
    );
  };
  return { engine, places, ticks, failures, selfIn };
}

test("a report that was lost is made good: what the source shows is whole again", async () => {
  let lost = 0;
  let reports = 0;
  const { engine, selfIn } = await setUp(() => {
    reports++;
    const arrives = reports % 7 !== 0;
    if (!arrives) lost++;
    return arrives;
  });
  await engine.apply(joining);
  await engine.apply(walking);
  await expect.poll(() => lost, { timeout: 10_000 }).toBeGreaterThan(3);
  await engine.apply(
    input({
      case: "move",
      value: { name: "ada", move: { kind: { case: "direction", value: { x: 0 } } } },
    }),
  );
  const state = await engine.read("ada");
  const slot = () => selfIn() ?? -1;
  const x = state?.entity.position?.x ?? Number.NaN;
  await expect.poll(() => engine.source.table.xs[slot()]).toBeCloseTo(x, 1);
});

test("what shows of an input comes with the tick that its answer names", async () => {
  const { engine, selfIn } = await setUp();
  await engine.apply(joining);
  expect(selfIn()).toBeUndefined();
  const { kind } = await engine.apply(walking);
  if (kind.case !== "move") throw new Error(`the zone answered ${kind.case}`);
  expect(engine.source.tick).toBeLessThan(kind.value.tick);
  await expect.poll(() => engine.source.tick).toBeGreaterThanOrEqual(kind.value.tick);
  expect(selfIn()).toBeDefined();
});

test("an entity is told as changed once, and again when its row was asked for", async () => {
  const { engine, ticks } = await setUp();
  const components = [anyPack(BodySchema, create(BodySchema, { radius: 0.2 }))];
  const value = { character: { ...character, components } };
  await engine.apply(input({ case: "join", value }));
  const told = () => ticks.flatMap(({ saves }) => saves.map(({ name }) => name)).length;
  await expect.poll(() => ticks.length).toBeGreaterThan(10);
  expect(told()).toBe(1);
  expect(await engine.row("ada")).toMatchObject({ kind: "character", record: { id: 7 } });
  const { number: field = 0 } = testTypes.attribute("body.radius")?.field ?? {};
  const change = { case: "value" as const, value: valueOf(0.3) };
  await engine.apply(
    input({
      case: "set",
      value: { name: "ada", component: BodySchema.typeName, field, change },
    }),
  );
  await expect.poll(told).toBe(2);
  expect(await engine.row("nobody")).toBeUndefined();
});

test("stopped, it hands out what was to be saved, gives its place back, and answers nothing more", async () => {
  const { engine, places, ticks } = await setUp();
  await engine.apply(joining);
  await expect.poll(() => ticks.some(({ saves }) => saves.length > 0)).toBe(true);
  const [rows, again] = await Promise.all([engine.stop(), engine.stop()]);
  expect(rows).toMatchObject([
    { kind: "character", record: { name: "ada", zone: "test" } },
    { kind: "places", record: { zone: "test", ids: [7] } },
  ]);
  expect(again).toBe(rows);
  expect(places.taken).toBe(0);
  await expect(engine.apply(walking)).rejects.toMatchObject(stopped);
});

test("it tells when characters came, moved or left, and where all are that can be stored", async () => {
  const { engine, ticks, selfIn } = await setUp();
  const expectQuiet = async () => {
    await expect.poll(() => ticks.slice(-3).some(({ moved }) => moved)).toBe(false);
  };
  await expectQuiet();
  expect(await engine.places()).toMatchObject({ record: { zone: "test", ids: [], xs: [] } });

  const movedTicks = () => ticks.filter(({ moved }) => moved).length;
  await engine.apply(joining);
  await expect.poll(movedTicks).toBe(1);
  await expectQuiet();
  const fleeting = { name: "eve", kind: EntityKind.CHARACTER };
  await engine.apply(input({ case: "join", value: { character: fleeting } }));
  await engine.apply(walking);
  await expect.poll(() => ticks.slice(-3).every(({ moved }) => moved)).toBe(true);
  const row = await engine.places();
  const x = engine.source.table.xs[selfIn() ?? -1];
  expect(row).toMatchObject({ kind: "places", record: { zone: "test", ids: [7], ys: [1.5] } });
  expect(row.kind === "places" && row.record.xs[0]).toBeGreaterThan(2.5);
  expect(row.kind === "places" && row.record.xs[0]).toBeCloseTo(x ?? Number.NaN, 0);

  await engine.apply(input({ case: "leave", value: { name: "ada" } }));
  await expectQuiet();
  const before = movedTicks();
  await engine.apply(input({ case: "leave", value: { name: "eve" } }));
  await expect.poll(movedTicks).toBe(before + 1);
});

test("characters are counted as they come and go", async () => {
  const { engine } = await setUp();
  expect(engine.characterCount()).toBe(0);
  await engine.apply(joining);
  await engine.apply(joining);
  expect(engine.characterCount()).toBe(1);
  await engine.apply(input({ case: "leave", value: { name: "ada" } }));
  expect(engine.characterCount()).toBe(0);
});

test("an edit changes the map here when it was carried out there", async () => {
  const { engine } = await setUp();
  const region = { x: 0, y: 0, width: 1, height: 1 };
  const commands = [command({ case: "setBarriers", value: { region, blocked: true } })];
  expect(engine.checkEdit(commands)).toHaveProperty("result");
  expect(engine.map.blocked(0, 0)).toBe(false);
  await engine.apply(input({ case: "edit", value: { revision: 5, commands } }));
  expect(engine.map.blocked(0, 0)).toBe(true);
  expect(engine.map.revision).toBe(5);
});

test("when its place is lost it says so once, and all that waits is told that the zone stopped", async () => {
  const { engine, places, failures } = await setUp();
  await engine.apply(joining);
  const open = Promise.resolve(engine.read("ada")).catch((error: unknown) => error);
  await places.lose();
  expect(await open).toMatchObject(stopped);
  expect(failures).toMatchObject([{ recording: undefined }]);
  expect(await engine.stop()).toEqual([]);
  expect(places.taken).toBe(0);
});

test("an event goes over once for all who hear it together, in order for each", () => {
  const [a, b] = [1, 2].map((index) =>
    create(EventSchema, { kind: { case: "notice", value: String(index) } }),
  );
  if (!a || !b) throw new Error("no events");
  const heard = [
    { character: "ada", characterId: 1, event: a },
    { character: "bob", characterId: 2, event: a },
    { character: "bob", characterId: 2, event: b },
    { character: "ada", characterId: 1, event: a },
  ];
  const events = packEvents(heard);
  expect(events.map(({ hearers }) => hearers?.length)).toEqual([2, 1, 1]);
  expect(unpackEvents(create(ZoneTickSchema, { events }))).toEqual(heard);
});
