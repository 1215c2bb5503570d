import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { EventSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  happen,
  happenings,
  randomKinds,
  randomWorldMap,
} from "../../test/support/random-world.ts";
import {
  createTestZone,
  drawMap,
  edit,
  input,
  join,
  move,
  set,
  steps,
  vector,
} from "../../test/support/sim.ts";
import {
  createViewClient,
  differences,
  expectedView,
  namesIn,
  plainExtras,
} from "../../test/support/view-client.ts";
import {
  MAX_LAG_TICKS,
  MAX_PENDING_EVENTS,
  MAX_RESUMABLE_MESSAGES,
  createViewer,
  parseCursor,
} from "./viewer.ts";
import { WireWriter } from "./wire-writer.ts";
import type { Zone } from "./zone.ts";

const RADIUS = 9;
const FIELD = Array.from({ length: 40 }, () => ".".repeat(40));

function watch(zone: Zone, name: string, { radius = RADIUS, heedsBaselines = false } = {}) {
  const client = createViewClient();
  const selfId = zone.brief(name)?.id ?? 0;
  const writer = new WireWriter();
  const viewer = createViewer({ source: zone, key: "k", selfId, character: name, radius, writer });
  viewer.heedsBaselines = heedsBaselines;
  const next = (extras = {}) => {
    const bytes = viewer.message({ ...plainExtras, ...extras });
    return bytes && client.apply(bytes);
  };
  const check = () => {
    const expected = expectedView(zone, namesIn(zone), name, radius);
    expect(differences(client.seen, expected)).toEqual([]);
  };
  return { client, viewer, next, check };
}

function notice(text: string): Uint8Array {
  return toBinary(EventSchema, create(EventSchema, { kind: { case: "notice", value: text } }));
}

describe("a viewer", () => {
  it("[PY-6] [AL-17] begins with a scene and everything in view, then sends only what changes", () => {
    const { zone } = createTestZone(drawMap(FIELD));
    join(zone, "ada", { x: 5, y: 5 });
    join(zone, "bob", { x: 8, y: 5 });
    zone.step();
    const ada = watch(zone, "ada");
    const first = ada.next();
    expect(first?.scene).toBeDefined();
    expect(first?.entities.map(({ name }) => name).sort()).toEqual(["ada", "bob"]);
    ada.check();
    zone.step();
    expect(ada.next()).toBeUndefined();
    move(zone, "bob", { case: "direction", value: vector(0, 1) });
    zone.step();
    const second = ada.next();
    expect(second?.scene).toBeUndefined();
    expect(second?.entities).toEqual([]);
    expect(second?.turned?.ids).toHaveLength(1);
    expect(second?.moved).toBeUndefined();
    ada.check();
  });

  it("[AL-6] [JW-1] tells each coming and going once, also after quiet ticks", () => {
    const { zone } = createTestZone(drawMap(FIELD));
    join(zone, "ada", { x: 5, y: 5 });
    const bob = join(zone, "bob", { x: 8, y: 5 });
    zone.step();
    const ada = watch(zone, "ada");
    ada.next();
    for (let i = 0; i < 3; i++) {
      zone.step();
      expect(ada.next()).toBeUndefined();
    }
    zone.apply(input({ case: "leave", value: { name: "bob" } }));
    zone.step();
    expect(ada.next()?.left).toEqual([bob]);
    const again = join(zone, "bob", { x: 8, y: 5 });
    expect(again).not.toBe(bob);
    zone.step();
    expect(ada.next()?.entities.map(({ id }) => id)).toEqual([again]);
    zone.step();
    expect(ada.next()).toBeUndefined();
    ada.check();
  });

  it("[PY-14] never sends a hidden field, and an owner's fields to the owner alone", () => {
    const { zone } = createTestZone(drawMap(FIELD), { kinds: randomKinds });
    join(zone, "ada", { x: 5, y: 5 });
    join(zone, "bob", { x: 8, y: 5 });
    const position = vector(6.5, 7.5);
    edit(zone, {
      case: "putObject",
      value: {
        $typeName: "realmwire.v1.MapObject",
        name: "box",
        kind: "chest",
        position,
        attributes: {},
      },
    });
    zone.step();
    const viewers = [watch(zone, "ada"), watch(zone, "bob")];
    const [ada, bob] = viewers as [ReturnType<typeof watch>, ReturnType<typeof watch>];
    const purseOf = ({ client }: typeof ada) =>
      [...client.seen.values()].find(({ name }) => name === "box")?.components[
        PurseSchema.typeName
      ];
    for (const { next, check } of viewers) {
      next();
      check();
    }
    expect(purseOf(ada)).toBeUndefined();
    for (const [owner, sees] of [
      ["ada", [true, false]],
      ["bob", [false, true]],
      ["", [false, false]],
    ] as const) {
      set(zone, "box", "body.owner", { case: "stringValue", value: owner });
      zone.step();
      for (const { next, check } of viewers) {
        next();
        check();
      }
      expect([purseOf(ada), purseOf(bob)].map((purse) => purse !== undefined)).toEqual(sees);
    }
    set(zone, "box", "purse.luck", { case: "doubleValue", value: 0.25 });
    zone.step();
    expect(ada.next()).toBeUndefined();
  });

  it("[JW-5] begins afresh when too many ticks or events were left out", () => {
    const { zone } = createTestZone(drawMap(FIELD));
    join(zone, "ada", { x: 5, y: 5 });
    zone.step();
    const ada = watch(zone, "ada");
    ada.next();
    steps(zone, MAX_LAG_TICKS);
    expect(ada.next()?.scene).toBeUndefined();
    steps(zone, MAX_LAG_TICKS + 1);
    expect(ada.next()?.scene).toBeDefined();
    for (let i = 0; i < MAX_PENDING_EVENTS; i++) ada.viewer.push(notice(`${i}`));
    zone.step();
    expect(ada.next()?.events).toHaveLength(MAX_PENDING_EVENTS);
    const { cursor } = ada.client;
    for (let i = 0; i <= MAX_PENDING_EVENTS; i++) ada.viewer.push(notice(`${i}`));
    expect(ada.viewer.resume(cursor), "events are lost, so a cursor cannot be gone on from").toBe(
      false,
    );
    zone.step();
    const after = ada.next();
    expect(after?.scene).toBeDefined();
    expect(after?.events).toEqual([]);
  });

  it("is not sent again what it has when the zone is checkpointed", () => {
    const { zone } = createTestZone(drawMap(FIELD), { kinds: randomKinds });
    join(zone, "ada", { x: 5, y: 5 });
    join(zone, "bob", { x: 8, y: 5 });
    steps(zone, 2);
    const ada = watch(zone, "ada");
    ada.next();
    zone.checkpoint();
    zone.step();
    expect(ada.next()).toBeUndefined();
    set(zone, "bob", "creature.mood", { case: "stringValue", value: "calm" });
    zone.checkpoint();
    zone.step();
    expect(ada.next()?.changed).toHaveLength(1);
    ada.check();
  });

  it("says once what several have in common, to those who heed it", () => {
    const { zone } = createTestZone(drawMap(FIELD), { kinds: randomKinds });
    join(zone, "ada", { x: 5, y: 5 });
    const ada = watch(zone, "ada", { heedsBaselines: true });
    const plain = watch(zone, "ada");
    const chest = (name: string) =>
      edit(zone, {
        case: "putObject",
        value: {
          $typeName: "realmwire.v1.MapObject",
          ...{ name, kind: "chest", position: vector(6.5, 7.5), attributes: {} },
        },
      });
    const told = () => {
      zone.step();
      const update = ada.next();
      ada.check();
      expect(plain.next()?.baselines ?? []).toEqual([]);
      plain.check();
      const named = (update?.entities ?? []).map(({ name, baseline }) => [name, baseline > 0]);
      return { baselines: update?.baselines.length, named };
    };
    chest("one");
    expect(told().baselines, "nobody has anything in common").toBe(0);
    chest("two");
    expect(told()).toEqual({ baselines: 1, named: [["two", true]] });
    chest("three");
    expect(told()).toEqual({ baselines: 0, named: [["three", true]] });
    set(zone, "three", "purse.luck", { case: "doubleValue", value: 0.25 });
    expect(told().named).toEqual([]);
    // A message got lost: what it may have told is told again.
    const { cursor } = ada.client;
    chest("four");
    expect(told()).toEqual({ baselines: 0, named: [["four", true]] });
    ada.viewer.resume(cursor);
    expect(told()).toEqual({ baselines: 1, named: [["four", true]] });
    zone.checkpoint();
    chest("five");
    expect(told()).toEqual({ baselines: 0, named: [["five", true]] });
    ada.viewer.restart();
    expect(told().baselines).toBe(1);
  });

  it("writes when forced, and flags and events without a change", () => {
    const { zone } = createTestZone(drawMap(FIELD));
    join(zone, "ada", { x: 5, y: 5 });
    zone.step();
    const ada = watch(zone, "ada");
    ada.next();
    zone.step();
    expect(ada.next({ force: true, acknowledged: 7 })).toMatchObject({ tick: 2, acknowledged: 7 });
    ada.viewer.push(notice("hi"));
    zone.step();
    expect(ada.next()?.events).toHaveLength(1);
    zone.apply(input({ case: "leave", value: { name: "ada" } }));
    zone.step();
    expect(ada.next({ force: true })).toBeUndefined();
  });

  it("[SM-12] resumes only from cursors of its own that it still knows", () => {
    const { zone } = createTestZone(drawMap(FIELD));
    join(zone, "ada", { x: 5, y: 5 });
    zone.step();
    const ada = watch(zone, "ada");
    ada.next();
    const cursors: string[] = [ada.client.cursor];
    for (let i = 0; i < MAX_RESUMABLE_MESSAGES + 2; i++) {
      ada.viewer.push(notice(`${i}`));
      zone.step();
      ada.next();
      cursors.push(ada.client.cursor);
    }
    const { key, sequence, tick } = parseCursor(ada.client.cursor) ?? {};
    expect({ key, sequence, tick }).toEqual({
      key: "k",
      sequence: MAX_RESUMABLE_MESSAGES + 3,
      tick: zone.tick,
    });
    expect(ada.viewer.resume(cursors.at(-3) ?? "")).toBe(true);
    zone.step();
    const missed = ada.next();
    expect(missed?.scene).toBeUndefined();
    expect(missed?.events.map(({ kind }) => kind.value)).toEqual([128, 129].map(String));
    for (const bad of [
      "",
      "k",
      "k.zzzzzzz.1",
      "other.1.1",
      "k.1.zzzzzzz",
      `k.0.0`,
      cursors[0] ?? "",
    ]) {
      expect(ada.viewer.resume(bad), bad).toBe(false);
      zone.step();
      expect(ada.next()?.scene, bad).toBeDefined();
    }
  });

  const wills = fc.constantFrom("read", "read", "read", "stall", "lose", "restart", "flood");

  it("[PY-6] [SM-12] [AL-6] always holds exactly what is to be seen, whatever is stalled, lost, resumed or flooded", () => {
    fc.assert(
      fc.property(
        fc.array(happenings, { minLength: 20, maxLength: 90 }),
        fc.array(wills, { minLength: 40, maxLength: 40 }),
        (script, plan) => {
          const { zone } = createTestZone(randomWorldMap(), {
            kinds: randomKinds,
            recordedInputs: 40,
          });
          const watchers = new Map<string, ReturnType<typeof watch> & { id: number }>();
          let turn = 0;
          const look = () => {
            zone.step();
            for (const name of ["p0", "p1", "p2"]) {
              const id = zone.brief(name)?.id;
              if (id === undefined) watchers.delete(name);
              else if (watchers.get(name)?.id !== id)
                watchers.set(name, { ...watch(zone, name, { heedsBaselines: name !== "p0" }), id });
              const watcher = watchers.get(name);
              if (watcher) live(zone, watcher, plan[turn++ % plan.length] as string);
            }
          };
          for (const name of [0, 1, 2]) happen(zone, { do: "join", who: name }, look);
          for (const event of script) happen(zone, event, look);
          // What inputs changed since the last tick is shown with the next one.
          zone.step();
          for (const [name, watcher] of watchers) {
            if (zone.brief(name)?.id === watcher.id) live(zone, watcher, "read");
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

/** One turn of a client: what it gets, it must understand, and then it must hold exactly what is to be seen, also when it got nothing. */
function live(zone: Zone, watcher: ReturnType<typeof watch>, will: string): void {
  const { viewer, client, check } = watcher;
  if (will === "stall") return;
  if (will === "restart") viewer.restart();
  if (will === "flood") for (let i = 0; i <= MAX_PENDING_EVENTS; i++) viewer.push(notice("x"));
  const bytes = viewer.message(plainExtras);
  if (will === "lose") {
    // The message got lost: the client comes back with the cursor of the one before, if it has one.
    if (client.cursor === "") viewer.restart();
    else viewer.resume(client.cursor);
    return;
  }
  // Nothing to say is right only if what the client reckons is.
  if (bytes) client.apply(bytes);
  else client.reckon(zone.tick);
  check();
}
