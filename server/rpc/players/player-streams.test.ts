import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import {
  EventSchema,
  MoveOutcomeSchema,
  UpdateResponseSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createTestZone, drawMap, join, move, vector } from "../../../test/support/sim.ts";
import { WireWriter } from "../../sim/wire-writer.ts";
import type { Zone } from "../../sim/zone.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import { slowFlag } from "./flags.ts";
import {
  createPlayerStreams,
  HEARTBEAT_MS,
  MAX_STREAMS,
  RESUME_WINDOW_MS,
} from "./player-streams.ts";
import type { Placement, PlayerStreams } from "./player-streams.ts";
import type { ReadyStream } from "../pipeline/ready-stream.ts";

let nowMs = 0;
let acknowledged = 7;
let zone: Zone;
let streams: PlayerStreams;

/** What streams use of a running zone. */
function placementIn(here: Zone, name: string): Placement {
  const { name: zoneName, tickRateHz } = here;
  const handle = { name: zoneName, tickRateHz, source: here, mapRevision: 1 };
  return { zone: handle as unknown as ZoneHandle, entityId: join(here, name) };
}

beforeEach(() => {
  nowMs = 0;
  acknowledged = 7;
  zone = createTestZone(drawMap(["........", "...@....", "........"])).zone;
  let keys = 0;
  streams = createPlayerStreams({
    character: "ada",
    placement: placementIn(zone, "ada"),
    viewRadius: 10,
    writer: new WireWriter(),
    newKey: () => `key${++keys}`,
    acknowledged: () => acknowledged,
    wallClock: () => 1_000,
    now: () => nowMs,
  });
  // What joined is news only for that tick.
  zone.step();
});

const tooMany = () => new Error("too many");

function read(stream: ReadyStream): UpdateResponse | undefined {
  const bytes = stream.next();
  return bytes && fromBinary(UpdateResponseSchema, bytes);
}

function open(cursor = ""): ReadyStream {
  return streams.open({ cursor, once: false, baselines: false, flags: [] }, tooMany);
}

/** Something that Ada sees. */
function stepWithNews(): void {
  move(zone, "ada", { case: "direction", value: vector(zone.tick % 2 === 0 ? 1 : -1, 0) });
  zone.step();
}

function notice(text: string) {
  return create(EventSchema, { kind: { case: "notice", value: text } });
}

const textsOf = (update: UpdateResponse | undefined) =>
  update?.events.map(({ kind }) => kind.value);

/** Resolves when a stream is to be read, rejects when it is to end. */
function ready(stream: ReadyStream): Promise<void> {
  return new Promise((resolve, reject) => stream.wait(resolve, reject));
}

/** Whether a stream asks to be read, once what is due by now was done. */
async function isReady(stream: ReadyStream): Promise<boolean> {
  return await Promise.race([
    ready(stream).then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 5)),
  ]);
}

test("a stream begins with the scene, then has nothing to say until something happens", () => {
  const stream = open();
  const first = read(stream);
  expect(first).toMatchObject({
    scene: { zone: "test", tickRateHz: 10, viewRadius: 10, serverTimeMs: 1_000n },
    acknowledged: 7,
  });
  expect(first?.entities.map(({ name }) => name)).toEqual(["ada"]);
  expect(read(stream)).toBeUndefined();
  stepWithNews();
  const second = read(stream);
  expect(second?.turned?.ids).toEqual([first?.scene?.selfId]);
  expect(second?.scene).toBeUndefined();
  expect(streams.count).toBe(1);
});

test("a tick wakes a waiting stream", async () => {
  const stream = open();
  read(stream);
  const woken = isReady(stream);
  streams.onTick();
  expect(await woken).toBe(true);
  expect(await isReady(stream)).toBe(false);
});

test("a heartbeat comes when nothing else does, and not before", async () => {
  const stream = open();
  read(stream);
  nowMs += HEARTBEAT_MS - 1;
  expect(read(stream)).toBeUndefined();
  const early = isReady(stream);
  streams.sweep();
  expect(await early).toBe(false);
  nowMs += 1;
  const due = isReady(stream);
  streams.sweep();
  expect(await due).toBe(true);
  expect(read(stream)).toMatchObject({ tick: zone.tick });
  expect(read(stream)).toBeUndefined();
});

test("[SM-12] who resumes gets what happened since, also events, and no scene", () => {
  const first = open();
  const { cursor = "" } = read(first) ?? {};
  first.close();
  streams.push(notice("meanwhile"));
  streams.putFlag(slowFlag(50));
  stepWithNews();
  nowMs += RESUME_WINDOW_MS - 1;
  streams.sweep();
  const again = read(open(cursor));
  expect(again?.scene).toBeUndefined();
  expect(again?.turned?.ids).toHaveLength(1);
  expect(textsOf(again)).toEqual(["meanwhile"]);
  expect(again?.flags).toEqual([slowFlag(50)]);
});

test("after the window, and with a cursor of somebody else, it begins afresh", () => {
  const first = open();
  const { cursor = "" } = read(first) ?? {};
  first.close();
  expect(read(open("nonsense"))?.scene).toBeDefined();
  nowMs += RESUME_WINDOW_MS;
  streams.sweep();
  expect(read(open(cursor))?.scene).toBeDefined();
});

test("resuming ends the stream that is resumed, even if nobody has noticed yet that it is gone", async () => {
  const first = open();
  const { cursor = "" } = read(first) ?? {};
  const second = open(cursor);
  await expect(ready(first)).rejects.toThrow("too many");
  first.close();
  expect(streams.count).toBe(1);
  stepWithNews();
  const update = read(second);
  expect(update?.turned?.ids).toHaveLength(1);
  expect(update?.scene).toBeUndefined();
});

test("beyond the bound the stream open longest ends, and only that", async () => {
  const all = Array.from({ length: MAX_STREAMS }, () => open());
  for (const stream of all) read(stream);
  const newest = open();
  const [oldest, ...others] = all;
  await expect(oldest && ready(oldest)).rejects.toThrow("too many");
  oldest?.close();
  expect(streams.count).toBe(MAX_STREAMS);
  for (const stream of others) expect(await isReady(stream)).toBe(false);
  expect(read(newest)?.scene).toBeDefined();
});

test("the one that makes room may close at once: the newcomer is told of ticks all the same", async () => {
  nowMs = 10 * RESUME_WINDOW_MS;
  for (let i = 0; i < MAX_STREAMS; i++) {
    const stream = open();
    read(stream);
    stream.wait(
      () => {},
      () => stream.close(),
    );
  }
  const newest = open();
  expect(streams.count).toBe(MAX_STREAMS);
  read(newest);
  const woken = isReady(newest);
  streams.onTick();
  expect(await woken).toBe(true);
});

test("of viewers without a stream only so many are kept, those that ended last", () => {
  const cursors = Array.from({ length: MAX_STREAMS + 2 }, () => {
    const stream = open();
    const { cursor = "" } = read(stream) ?? {};
    nowMs += 1;
    stream.close();
    return cursor;
  });
  const afresh = cursors.map((cursor) => {
    const stream = open(cursor);
    stepWithNews();
    const isScene = read(stream)?.scene !== undefined;
    return isScene;
  });
  expect(afresh).toEqual([true, true, false, false, false, false]);
});

test("a flag reaches every stream, and waits until there is a message that carries it", () => {
  const [a, b] = [open(), open()];
  read(a);
  read(b);
  streams.putFlag(slowFlag(50));
  expect(read(a), "nothing before the tick").toBeUndefined();
  zone.step();
  expect(read(a)?.flags).toEqual([slowFlag(50)]);
  expect(read(a)).toBeUndefined();
  streams.putFlag(slowFlag(40));
  expect(read(b)?.flags).toEqual([slowFlag(40)]);
});

test("in another place all streams begin afresh, and lose no event", () => {
  const stream = open();
  read(stream);
  streams.push(notice("before the gate"));
  const other = createTestZone(drawMap(["....", "..@."], { zone: "other" })).zone;
  streams.place(placementIn(other, "ada"));
  streams.push(notice("behind it"));
  expect(read(stream), "nothing before the tick").toBeUndefined();
  other.step();
  const update = read(stream);
  expect(update?.scene).toMatchObject({ zone: "other" });
  expect(textsOf(update)).toEqual(["before the gate", "behind it"]);
});

test("when it ends, every stream ends with the error, once it is asked", async () => {
  const [a, b] = [open(), open()];
  const waiting = ready(a);
  streams.end(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  await expect(ready(b)).rejects.toThrow("gone");
  expect(streams.count).toBe(0);
});

test("refused moves go to every stream with the next tick, in order, and again to one that lost them", () => {
  const [left, right] = [open(), open()];
  const first = read(left);
  read(right);
  const refuse = (sequence: number) =>
    streams.refuse(toBinary(MoveOutcomeSchema, create(MoveOutcomeSchema, { sequence })));
  refuse(1);
  refuse(2);
  expect(read(left)).toBeUndefined();
  zone.step();
  const sequencesOf = (update: UpdateResponse | undefined) =>
    update?.refused.map(({ sequence }) => sequence);
  expect(sequencesOf(read(left))).toEqual([1, 2]);
  expect(read(left)).toBeUndefined();
  // The other one did not read for a while.
  refuse(3);
  zone.step();
  expect(sequencesOf(read(right))).toEqual([1, 2, 3]);
  const resumed = open(first?.cursor);
  expect(sequencesOf(read(resumed))).toEqual([1, 2, 3]);
});

test("what was acknowledged anew is a message of its own, with the next tick", () => {
  const stream = open();
  read(stream);
  zone.step();
  expect(read(stream)).toBeUndefined();
  acknowledged = 8;
  expect(read(stream)).toBeUndefined();
  zone.step();
  expect(read(stream)).toMatchObject({ acknowledged: 8, entities: [] });
  zone.step();
  expect(read(stream)).toBeUndefined();
});
