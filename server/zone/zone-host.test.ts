import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import {
  AccountRecordSchema,
  CharacterRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { EditCommand } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { drawMap, input, testTypes } from "../../test/support/sim.ts";
import { command, putSignpost, setBarrier, valueOf } from "../../test/support/values.ts";
import { openPortPlaces } from "../../test/support/zone-places.ts";
import type { PortPlaces } from "../../test/support/zone-places.ts";
import { createLocalBus } from "../bus/local-bus.ts";
import { DomainError } from "../errors.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Kind } from "../sim/kind.ts";
import { replay } from "../sim/replay.ts";
import type { Store } from "../store/store.ts";
import { createChatLog } from "./chat-log.ts";
import { createSaver } from "./saver.ts";
import type { EditOrder } from "./zone-handle.ts";
import { MAX_WAITING_EDITS } from "./zone-edits.ts";
import { createZoneHost, LEASE_RENEWAL_MS, LEASE_TTL_MS } from "./zone-host.ts";

let own: TestStore;
let store: Store;
let zones = 0;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  own = await openTestStore(testTypes.registry);
  ({ store } = own);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await own.dispose();
});

const kinds = new Map<string, Kind>([
  ["signpost", { is: "object", body: { visual: "signpost" }, components: [] }],
  [
    "bomb",
    {
      is: "creature",
      get body(): Kind["body"] {
        throw new Error("boom");
      },
    },
  ],
]);

/** A zone that no other test has. */
function newMap(rows: readonly string[] = ["........", "...@....", "........"]): ZoneMap {
  return drawMap(rows, { zone: `zone-${++zones}` });
}

/** Where the zones of a test are simulated. */
type Placement = "in this thread" | "behind a port";
let placement: Placement = "in this thread";

interface HostSetup {
  readonly store?: Partial<Store>;
  readonly bus?: ReturnType<typeof createLocalBus>;
  readonly node?: string;
  readonly startTimeoutMs?: number;
}

/** A host of some zones on the one store, closed after the test. */
async function setUp(maps: readonly ZoneMap[], setup: HostSetup = {}) {
  const { logger, lines } = createMemoryLog();
  const own: Store = { ...store, ...setup.store };
  const bus = setup.bus ?? createLocalBus();
  const saver = createSaver({ store: own, logger });
  const recordings: Recording[] = [];
  const { startTimeoutMs } = setup;
  const world = {
    id: "test",
    types: testTypes,
    kinds,
    maps: new Map(maps.map((map) => [map.zone, map])),
    tickRateHz: 10,
  };
  await bus.start();
  let places: PortPlaces | undefined;
  if (placement === "behind a port") places = await openPortPlaces({ bus, world, logger });
  const host = createZoneHost({
    world,
    places,
    store: own,
    bus,
    saver,
    chatLog: createChatLog({ store: own, logger }),
    logger,
    node: setup.node ?? "node-1",
    seed: "seed",
    keepRecording: (_, bytes) => recordings.push(fromBinary(RecordingSchema, bytes)),
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
  });
  host.start();
  closing.push(async () => {
    await host.close();
    await saver.close();
    await places?.close();
  });
  return { host, saver, lines, recordings, places };
}

function order(commands: readonly EditCommand[], more: Partial<EditOrder> = {}): EditOrder {
  return { commands, undoRevision: 0, dryRun: false, expectedRevision: 0, author: "ada", ...more };
}

const unavailable = () => new DomainError(ErrorReason.STORE_UNAVAILABLE, "away");
const barrierAt = (x: number, y = 0) => setBarrier(x, y, true);

describe.each<Placement>(["in this thread", "behind a port"])("zones %s", (where) => {
  beforeAll(() => {
    placement = where;
  });

  test("[SM-8] however many ask for a zone at once, it starts once", async () => {
    const map = newMap();
    const listEdits = vi.fn<Store["listEdits"]>(store.listEdits);
    const { host, lines } = await setUp([map], { store: { listEdits } });
    const handles = await Promise.all(Array.from({ length: 50 }, () => host.get(map.zone)));
    expect(new Set(handles).size).toBe(1);
    expect(listEdits).toHaveBeenCalledTimes(1);
    expect(lines.filter(({ message }) => message === "zone started")).toHaveLength(1);
    expect(host.running(map.zone)).toBe(handles[0]);
  });

  test("[SM-8] two ids give two zones; an unknown one is an error that names it", async () => {
    const maps = [newMap(), newMap()];
    const { host } = await setUp(maps);
    const [first, second] = await Promise.all(maps.map(({ zone }) => host.get(zone)));
    expect(first?.name).not.toBe(second?.name);
    await expect(host.get("void")).rejects.toMatchObject({
      reason: ErrorReason.ZONE_UNKNOWN,
      details: { metadata: { zone: "void" } },
    });
  });

  test("[SM-9] a zone that does not come up is a clear error in time, and is there when it has come up", async () => {
    const map = newMap();
    const gate = Promise.withResolvers<void>();
    const listEdits = async (zone: string) => {
      await gate.promise;
      return await store.listEdits(zone);
    };
    const { host } = await setUp([map], { store: { listEdits }, startTimeoutMs: 50 });
    const began = performance.now();
    const late = {
      reason: ErrorReason.ZONE_START_TIMEOUT,
      details: { metadata: { zone: map.zone } },
    };
    await expect(host.get(map.zone)).rejects.toMatchObject(late);
    await expect(host.get(map.zone)).rejects.toMatchObject(late);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(host.running(map.zone)).toBeUndefined();
    gate.resolve();
    await expect.poll(() => host.running(map.zone)?.name).toBe(map.zone);
    expect((await host.get(map.zone)).name).toBe(map.zone);
  });

  test("a zone that could not start for want of the store can be started later", async () => {
    const map = newMap();
    const listObjects = vi
      .fn<Store["listObjects"]>(store.listObjects)
      .mockRejectedValueOnce(unavailable());
    const { host } = await setUp([map], { store: { listObjects } });
    const wanted = { reason: ErrorReason.STORE_UNAVAILABLE };
    await expect(host.get(map.zone)).rejects.toMatchObject(wanted);
    expect((await host.get(map.zone)).name).toBe(map.zone);
  });

  test("[SM-8] a zone that another node runs is refused, until that node gives it up", async () => {
    const map = newMap();
    const bus = createLocalBus();
    const first = await setUp([map], { bus, node: "first" });
    const second = await setUp([map], { bus: bus.connect(), node: "second" });
    await first.host.get(map.zone);
    await expect(second.host.get(map.zone)).rejects.toMatchObject({
      reason: ErrorReason.ZONE_STOPPED,
      message: expect.stringContaining("another node"),
      details: { metadata: { zone: map.zone }, retryDelayMs: expect.any(Number) },
    });
    await first.host.close();
    expect((await second.host.get(map.zone)).name).toBe(map.zone);
  });

  test("when its lease is lost, a zone stops and says so", async () => {
    const map = newMap();
    let nowMs = 0;
    const bus = createLocalBus({ now: () => nowMs });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { host, lines } = await setUp([map], { bus });
    const zone = await host.get(map.zone);
    const stopped = vi.fn<() => void>();
    zone.listen({ onStopped: stopped });
    nowMs += LEASE_TTL_MS - 1;
    await vi.advanceTimersByTimeAsync(LEASE_RENEWAL_MS);
    nowMs += LEASE_TTL_MS - 1;
    await vi.advanceTimersByTimeAsync(LEASE_RENEWAL_MS);
    expect(stopped).not.toHaveBeenCalled();
    // As if this process had been frozen.
    nowMs += LEASE_TTL_MS + 1;
    await vi.advanceTimersByTimeAsync(LEASE_RENEWAL_MS);
    expect(stopped).toHaveBeenCalledOnce();
    expect(host.running(map.zone)).toBeUndefined();
    expect(lines.map(({ message }) => message)).toContain("lost the lease of a zone");
  });

  test("a host that closes while a zone starts leaves none behind", async () => {
    const map = newMap();
    const { host } = await setUp([map]);
    const start = host.get(map.zone);
    const outcome = start.catch((error: unknown) => error);
    await host.close();
    expect(await outcome).toMatchObject({ reason: ErrorReason.ZONE_STOPPED });
    expect(host.running(map.zone)).toBeUndefined();
  });

  test("a simulation that fails leaves a recording that replays to the failure, and the zone starts anew", async () => {
    const map = newMap();
    const { host, recordings } = await setUp([map]);
    const zone = await host.get(map.zone);
    const stopped = vi.fn<() => void>();
    zone.listen({ onStopped: stopped });
    const character = { name: "ada", characterId: 1, kind: EntityKind.CHARACTER };
    await zone.apply(input({ case: "join", value: { character } }));
    const position = { x: 1.5, y: 1.5, z: 0 };
    const spawn = { name: "mine", kind: "bomb", position, count: 1 };
    // Not through `edit`: what cannot live must not be stored.
    const edit = { revision: 2, commands: [command({ case: "putSpawn", value: spawn })] };
    await zone.apply(input({ case: "edit", value: edit }));
    await expect.poll(() => stopped.mock.calls.length, { timeout: 5_000 }).toBe(1);
    expect(host.running(map.zone)).toBeUndefined();

    const [recording] = recordings;
    if (!recording) throw new Error("nothing was recorded");
    const again = replay(recording, { types: testTypes, kinds, zones: [map.zone] });
    expect(again.divergedAt).toBeUndefined();
    expect(again.zone.characterCount()).toBe(1);
    expect(() => again.zone.step()).toThrow("boom");

    expect((await host.get(map.zone)).characterCount()).toBe(0);
  });

  test("what a zone's last run left to be saved is there in the next", async () => {
    const map = newMap();
    const { host, recordings } = await setUp([map]);
    const zone = await host.get(map.zone);
    await zone.edit(order([putSignpost("post", { x: 1.5, y: 0.5 }, "old")]));
    const change = { case: "value" as const, value: valueOf("signpost-2") };
    const set = { name: "post", component: "realmwire.v1.Body", field: 1, change };
    await zone.apply(input({ case: "set", value: set }));
    const spawn = { name: "mine", kind: "bomb", position: { x: 1.5, y: 1.5, z: 0 }, count: 1 };
    const edit = { revision: 3, commands: [command({ case: "putSpawn", value: spawn })] };
    await zone.apply(input({ case: "edit", value: edit }));
    await expect.poll(() => recordings.length, { timeout: 5_000 }).toBe(1);
    const next = await host.get(map.zone);
    const state = await next.read("post");
    const bodies = state?.entity.components.map((any) => anyUnpack(any, BodySchema)?.visual);
    expect(bodies).toContain("signpost-2");
  });

  test("[PY-10] edits at once are carried out one after the other", async () => {
    const map = newMap();
    const { host } = await setUp([map]);
    const zone = await host.get(map.zone);
    const changed: number[] = [];
    zone.listen({ onMapChanged: (revision) => changed.push(revision) });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, x) => zone.edit(order([barrierAt(x)]))),
    );
    const revisions = answers.map(({ revision }) => revision);
    expect(revisions).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(changed).toEqual(revisions);
    expect((await store.listEdits(map.zone)).map(({ revision }) => revision)).toEqual(revisions);
  });

  test("[PY-10] an edit knows the other zones and the characters that are not there", async () => {
    const [here, there] = [newMap(), newMap()];
    const { host } = await setUp([here, there]);
    const zone = await host.get(here.zone);
    const portal = (targetSpawn: string) =>
      command({
        case: "putPortal",
        value: {
          name: "gate",
          region: { x: 1, y: 1, width: 1, height: 1 },
          targetZone: there.zone,
          targetSpawn,
        },
      });
    const name = `Kim${there.zone}`;
    const account = create(AccountRecordSchema, { name, role: Role.PLAYER, passwordHash: "-" });
    await store.createAccount(account, create(CharacterRecordSchema, { name, zone: there.zone }));
    const broken = [
      [portal("nowhere"), "commands[0].put_portal.target_spawn"],
      [putSignpost(name, { x: 1.5, y: 0.5 }, "mine"), "commands[0].put_object.name"],
    ] as const;
    for (const [order1, field] of broken) {
      await expect(zone.edit(order([order1]))).rejects.toMatchObject({
        reason: ErrorReason.EDIT_REFUSED,
        details: { violations: [{ field }] },
      });
    }
    expect((await zone.edit(order([portal("start"), portal("")]))).revision).toBe(2);
  });

  test("things that were put are known by name, also in zones that do not run", async () => {
    const map = newMap();
    const other = drawMap(["@..."], {
      zone: `other-${map.zone}`,
      objects: [{ name: "Old Stone", kind: "signpost", position: { x: 1.5, y: 0.5 } }] as never,
    });
    const { host } = await setUp([map, other]);
    const zone = await host.get(map.zone);
    expect(host.hasThing("post")).toBe(false);
    await zone.edit(order([putSignpost("Post", { x: 1.5, y: 0.5 }, "new")]));
    expect(host.hasThing("post")).toBe(true);
    expect(host.hasThing("old stone")).toBe(true);
  });

  test("edits that wait for a store that hangs are bounded", async () => {
    const map = newMap();
    const gate = Promise.withResolvers<void>();
    const appendEdit: Store["appendEdit"] = async (edit) => {
      await gate.promise;
      await store.appendEdit(edit);
    };
    const { host } = await setUp([map], { store: { appendEdit } });
    const zone = await host.get(map.zone);
    const waiting = Array.from({ length: MAX_WAITING_EDITS }, () =>
      zone.edit(order([barrierAt(1)])),
    );
    await expect(zone.edit(order([barrierAt(2)]))).rejects.toMatchObject({
      reason: ErrorReason.TOO_MANY_CALLS,
      details: { metadata: { limit: String(MAX_WAITING_EDITS) } },
    });
    gate.resolve();
    await Promise.all(waiting);
    expect((await zone.edit(order([barrierAt(2)]))).revision).toBe(MAX_WAITING_EDITS + 2);
  });

  test("[PY-10] nobody sees an edit before it is committed; one that is not committed is never seen", async () => {
    const map = newMap();
    const gate = Promise.withResolvers<void>();
    const appendEdit = vi.fn<Store["appendEdit"]>(async (edit) => {
      await gate.promise;
      await store.appendEdit(edit);
    });
    const { host } = await setUp([map], { store: { appendEdit } });
    const zone = await host.get(map.zone);
    const changed = vi.fn<() => void>();
    zone.listen({ onMapChanged: changed });
    const first = zone.edit(order([barrierAt(1)]));
    await expect.poll(() => appendEdit.mock.calls.length).toBe(1);
    expect(zone.mapRevision).toBe(1);
    expect((await zone.map()).barriers).toEqual(map.barriers);
    gate.resolve();
    await first;
    expect(changed).toHaveBeenCalledOnce();

    appendEdit.mockRejectedValueOnce(unavailable());
    await expect(zone.edit(order([barrierAt(2)]))).rejects.toMatchObject({
      reason: ErrorReason.STORE_UNAVAILABLE,
    });
    expect(zone.mapRevision).toBe(2);
    expect((await zone.edit(order([barrierAt(3)]))).revision).toBe(3);
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test("an edit that the store took without being able to say so is shown, and the next one has its turn", async () => {
    const map = newMap();
    let silent = true;
    const appendEdit: Store["appendEdit"] = async (edit) => {
      await store.appendEdit(edit);
      if (silent) throw unavailable();
    };
    const { host } = await setUp([map], { store: { appendEdit } });
    const zone = await host.get(map.zone);
    const changed: number[] = [];
    zone.listen({ onMapChanged: (revision) => changed.push(revision) });
    const refused = { reason: ErrorReason.STORE_UNAVAILABLE };
    await expect(zone.edit(order([barrierAt(1)]))).rejects.toMatchObject(refused);
    // By itself, after a while.
    await expect.poll(() => zone.mapRevision, { timeout: 5_000 }).toBe(2);
    await expect(zone.edit(order([barrierAt(2)]))).rejects.toMatchObject(refused);
    silent = false;
    // At once, when the next edit comes.
    expect((await zone.edit(order([barrierAt(3)]))).revision).toBe(4);
    expect(changed).toEqual([2, 3, 4]);
    await host.close();
    const next = await (await setUp([map])).host.get(map.zone);
    expect((await next.map()).barriers).toEqual((await zone.map()).barriers);
  });

  test("[PY-10] a dry run, a wrong revision and a broken command change nothing; an edit can be taken back", async () => {
    const map = newMap();
    const { host } = await setUp([map]);
    const zone = await host.get(map.zone);
    expect(await zone.edit(order([barrierAt(1)], { dryRun: true }))).toMatchObject({
      revision: 2,
      region: { x: 1, y: 0, width: 1, height: 1 },
    });
    await expect(zone.edit(order([barrierAt(1)], { expectedRevision: 7 }))).rejects.toMatchObject({
      reason: ErrorReason.REVISION_CONFLICT,
      details: { metadata: { revision: "1" } },
    });
    await expect(zone.edit(order([barrierAt(1), barrierAt(99)]))).rejects.toMatchObject({
      reason: ErrorReason.EDIT_REFUSED,
      details: { violations: [{ field: expect.stringContaining("commands[1]") }] },
    });
    expect(zone.mapRevision).toBe(1);
    expect(await store.listEdits(map.zone)).toEqual([]);

    await zone.edit(order([barrierAt(1)], { expectedRevision: 1 }));
    expect((await zone.edit(order([], { undoRevision: 2 }))).revision).toBe(3);
    expect((await zone.map()).barriers).toEqual(map.barriers);
    await expect(zone.edit(order([], { undoRevision: 9 }))).rejects.toMatchObject({
      reason: ErrorReason.EDIT_REFUSED,
      details: { violations: [{ field: "undo_revision" }] },
    });
  });

  test("a stored edit that no longer fits the game's map is passed over, and said", async () => {
    const map = newMap();
    const first = await setUp([map]);
    const zone = await first.host.get(map.zone);
    await zone.edit(order([barrierAt(7)]));
    await zone.edit(order([barrierAt(1)]));
    await first.host.close();
    // Meanwhile the map became narrower.
    const narrow = drawMap(["....", "..@."], { zone: map.zone });
    const { host, lines } = await setUp([narrow]);
    const again = await host.get(map.zone);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        fields: expect.objectContaining({ zone: map.zone, revision: 2 }),
      }),
    );
    expect(again.mapRevision).toBe(3);
    expect([...(await again.map()).barriers]).toEqual([0b10]);
    expect((await again.edit(order([barrierAt(0)]))).revision).toBe(4);
  });
});
