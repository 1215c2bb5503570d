import { toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createWorldView } from "../../../clients/ts/index.ts";
import { EntityKind } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { EditCommand } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { UpdateResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { eventually, failureOf, readFailure, untilEnd } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { command, setBarrier } from "../../support/values.ts";
import { isSamePlace, mapOf, portalTo, stepSomewhere, walkUntil } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

/** How often a stream says something at least, and the clock of a busy machine, in milliseconds. */
const HEARTBEAT_MS = { atLeast: 4_500, atMost: 7_000 };

async function once(
  player: TestPlayer,
  request: { cursor?: string; baselines?: boolean } = {},
): Promise<UpdateResponse> {
  const messages: UpdateResponse[] = [];
  const answers = player.world.update({ once: true, ...request });
  for await (const message of answers) messages.push(message);
  const [message] = messages;
  if (!message || messages.length !== 1) throw new Error(`once gave ${messages.length} messages`);
  return message;
}

/** Update: what a stream begins with, goes on from, and how many there may be. */
export function describeUpdates(server: () => CallsServer): void {
  const player = () => server().player("Upd");

  test("[PY-6] once: one message with everything in view, and the end", async () => {
    const ann = await player();
    const message = await once(ann);
    expect(message.scene).toMatchObject({ zone: "town", tickRateHz: 10, viewRadius: 20 });
    const self = message.entities.find(({ id }) => id === message.scene?.selfId);
    expect(self).toMatchObject({ name: ann.name, visual: "player" });
    expect(isSamePlace(self?.position, await ann.position())).toBe(true);
    expect(message.entities.map(({ name }) => name)).toContain("well");
    expect(Math.abs(Number(message.scene?.serverTimeMs) - Date.now())).toBeLessThan(60_000);
    for (const { id, name, position, visual } of message.entities) {
      expect([id > 0, name !== "", visual !== "", position !== undefined]).not.toContain(false);
    }
    // A stream that polls is none that is missed: the character stays.
    expect(await ann.get("", ["online"])).toEqual({ online: 1n });
  });

  test("baselines: what several have in common comes once, to a client that asks", async () => {
    const ann = await player();
    const view = createWorldView();
    const [plain, short] = [await once(ann), await once(ann, { baselines: true })];
    expect(plain.baselines).toEqual([]);
    expect(plain.entities.filter(({ baseline }) => baseline !== 0)).toEqual([]);
    const told = short.entities.filter(({ baseline }) => baseline !== 0).length;
    expect(short.baselines.length).toBeGreaterThan(0);
    expect(told).toBeGreaterThan(short.baselines.length);
    const [many, few] = [plain, short].map((message) => toBinary(UpdateResponseSchema, message));
    expect(few?.length).toBeLessThan(many?.length ?? 0);
    view.apply(short);
    expect(view.problems).toBe(0);
    // What a creature is like may change between the two.
    const things = plain.entities.filter(({ kind }) => kind === EntityKind.OBJECT);
    expect(things.length).toBeGreaterThan(0);
    for (const { name, kind, visual, components } of things) {
      const seen = view.named(name);
      expect({ name: seen?.name, kind: seen?.kind, visual: seen?.visual }).toEqual({
        name,
        kind,
        visual,
      });
      expect([...(seen?.components.keys() ?? [])].sort()).toEqual(
        components.map(({ typeUrl }) => typeUrl.replace(/^.*\//, "")).sort(),
      );
    }
  });

  test("[SM-12] [AL-18] a cursor goes on where it was: only what changed since, nothing lost", async () => {
    const ann = await player();
    const bob = await player();
    await bob.position();
    const view = createWorldView();
    const { tick: begin } = await once(ann);
    // In the very tick of the arrival the other would come in full twice.
    const first = await eventually("a later tick", async () => {
      const message = await once(ann);
      return message.tick > begin + 1 && message;
    });
    view.apply(first);
    const id = view.named(bob.name)?.id;
    const { position } = await stepSomewhere(bob);
    await bob.chat.say({ text: "while you were away" });
    await bob.world.set({
      attribute: "mood",
      change: { case: "value", value: { kind: { case: "stringValue", value: "away" } } },
    });
    await eventually("a tick after all that", async () => (await once(bob)).tick > first.tick + 1);
    const next = await once(ann, { cursor: first.cursor });
    expect(next.scene).toBeUndefined();
    expect(next.entities.map(({ name }) => name)).not.toContain("well");
    expect(next.entities.map(({ id: entity }) => entity)).not.toContain(id);
    expect([...(next.moved?.ids ?? []), ...(next.turned?.ids ?? [])]).toContain(id);
    expect(next.changed.map((change) => change.id)).toContain(id);
    expect(next.events.filter(({ kind }) => kind.case === "chat")).toMatchObject([
      { kind: { value: { text: "while you were away", from: bob.name } } },
    ]);
    view.apply(next);
    expect(view.problems).toBe(0);
    expect(isSamePlace(view.named(bob.name)?.position, position)).toBe(true);
  });

  test("[PY-11] [SM-12] flags that were lost with a message come again when the stream goes on from before", async () => {
    const ann = await player();
    const builder = await server().as(Role.BUILDER);
    const edit = () => builder.world.edit({ zone: "town", commands: [setBarrier(0, 0, false)] });
    const revisions = ({ flags }: UpdateResponse) =>
      flags.map(({ kind }) => kind.case === "map" && kind.value.revision);
    const first = await once(ann);
    const one = await edit();
    const lost = await once(ann, { cursor: first.cursor });
    expect(revisions(lost)).toEqual([one.revision]);
    expect(revisions(await once(ann, { cursor: first.cursor }))).toEqual([one.revision]);
    // What was raised since goes with it, and what the client has seen does not come again.
    const two = await edit();
    const both = await once(ann, { cursor: first.cursor });
    expect(revisions(both)).toEqual([two.revision]);
    expect(revisions(await once(ann, { cursor: both.cursor }))).toEqual([]);
  });

  test("[SM-12] a broken, a foreign and an old cursor begin with a scene", async () => {
    const ann = await player();
    const bob = await player();
    const { cursor } = await once(bob);
    const own = await once(ann);
    for (const broken of ["nonsense", "a.b.c", "....", cursor, `${own.cursor}0`, "ä"]) {
      const message = await once(ann, { cursor: broken });
      expect(message.scene?.zone, broken).toBe("town");
      expect(message.entities.map(({ name }) => name)).toContain(ann.name);
    }
    const tooLong = ann.world.update({ once: true, cursor: "c".repeat(65) });
    expect(await failureOf(tooLong)).toMatchObject({
      code: Code.InvalidArgument,
      reason: ErrorReason.INVALID_FIELDS,
      fields: ["cursor"],
    });
  });

  test("[AL-18] a stream that was cut goes on from its cursor", async () => {
    const ann = await player();
    const stream = ann.watch();
    await stream.until("a scene", () => stream.view.self);
    await stream.ticks(2);
    stream.close();
    await untilEnd(stream);
    const cursor = stream.messages.at(-1)?.cursor ?? "";
    const next = ann.watch(cursor);
    await next.until("a message", () => next.messages.length > 2);
    expect(next.scenes).toEqual([]);
    ann.close();
  });

  test("[AL-17] at most one message a tick", async () => {
    const ann = await player();
    const stream = ann.watch();
    await stream.until("a scene", () => stream.view.self);
    const builder = await server().as(Role.BUILDER);
    for (let i = 0; i < 20; i++) {
      await builder.world.set({
        name: ann.name,
        attribute: "gold",
        change: { case: "add", value: { kind: { case: "intValue", value: 1n } } },
      });
    }
    await stream.ticks(3);
    const ticks = stream.messages.map(({ tick }) => tick);
    expect(new Set(ticks).size).toBe(ticks.length);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    ann.close();
  });

  test("[JW-5] five streams of one session: the oldest makes room", async () => {
    const ann = await player();
    const streams = [];
    for (let i = 0; i < 5; i++) {
      const stream = ann.watch();
      await stream.until("a scene", () => stream.view.self);
      streams.push(stream);
    }
    const [oldest, ...others] = streams;
    if (!oldest) throw new Error("no stream");
    expect(await untilEnd(oldest).then(readFailure)).toMatchObject({
      code: Code.ResourceExhausted,
      reason: ErrorReason.TOO_MANY_STREAMS,
      metadata: { limit: "4" },
    });
    for (const stream of others) await stream.ticks(2);
    expect(others.map(({ end }) => end)).toEqual([undefined, undefined, undefined, undefined]);
    ann.close();
  });

  test("[PY-6] [SM-25] who is alone and still hears a heartbeat in five seconds, and nothing else", async () => {
    const builder = await server().as(Role.BUILDER);
    const meadow = await mapOf(builder, "meadow");
    const empty: EditCommand[] = [
      ...meadow.objects.map(({ name }) => command({ case: "removeObject", value: name })),
      ...meadow.spawns
        .filter(({ kind }) => kind !== "")
        .map(({ name }) => command({ case: "removeSpawn", value: name })),
    ];
    const { revision } = await builder.world.edit({ zone: "meadow", commands: empty });
    const ann = await player();
    const stream = ann.watch();
    await stream.until("a scene", () => stream.view.self);
    const { middle } = portalTo(await mapOf(ann), "meadow");
    const speed = { kind: { case: "doubleValue" as const, value: 20 } };
    await builder.world.set({
      name: ann.name,
      attribute: "speed",
      change: { case: "value", value: speed },
    });
    const inMeadow = () => stream.view.scene?.zone === "meadow";
    await walkUntil(ann, stream, middle, "the meadow", inMeadow);
    await stream.until("being alone", () => stream.view.entities.size === 1);
    // The flag of the arrival may come with a message of its own.
    let from = performance.now();
    let count = stream.messages.length;
    await stream.until("a heartbeat", () => {
      if (stream.messages.length === count) return false;
      if (performance.now() - from > HEARTBEAT_MS.atLeast) return true;
      from = performance.now();
      count = stream.messages.length;
      return false;
    });
    expect(performance.now() - from).toBeLessThan(HEARTBEAT_MS.atMost);
    const beat = stream.messages.at(-1);
    expect(beat).toMatchObject({ entities: [], changed: [], left: [], events: [], flags: [] });
    expect(beat?.scene ?? beat?.moved ?? beat?.turned).toBeUndefined();
    expect(beat?.cursor).not.toBe(stream.messages.at(-2)?.cursor);
    ann.close();
    await builder.world.edit({ zone: "meadow", undoRevision: revision });
  });
}
