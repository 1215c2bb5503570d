import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ClientReleaseSchema } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import { RegionSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { createAnswerFlags } from "./answer-flags.ts";
import { clientFlag, createFlagBox, drainFlag, mapFlag, slowFlag, zoneFlag } from "./flags.ts";
import type { Session } from "../../account/session.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";

const region = (x: number, y: number, width: number, height: number) =>
  create(RegionSchema, { x, y, width, height });
const release = (platform: string, version: string) =>
  clientFlag(create(ClientReleaseSchema, { platform, version }));
const session = (key: string): Session => ({
  key,
  accountId: 1,
  accountName: key,
  role: Role.PLAYER,
  character: undefined,
});

test("[PY-11] a zone's flags are for those who are in it, or were there last", () => {
  const flags = createAnswerFlags();
  flags.remember("here", "town");
  flags.remember("there", "meadow");
  flags.remember("nowhere");
  flags.putForZone("town", slowFlag(50));
  expect(flags.take(session("here"))).toEqual([slowFlag(50)]);
  expect(flags.take(session("there"))).toEqual([]);
  expect(flags.take(session("nowhere"))).toEqual([]);
  flags.remember("here", "meadow");
  flags.putForZone("town", slowFlag(40));
  expect(flags.take(session("here"))).toEqual([]);
});

test("[PY-11] flags about one thing are merged: the newest counts, and map regions unite", () => {
  const box = createFlagBox();
  expect(box.isEmpty).toBe(true);
  box.put(mapFlag("town", 2, region(0, 0, 2, 2)));
  box.put(slowFlag(80));
  box.put(mapFlag("meadow", 9, region(5, 5, 1, 1)));
  box.put(mapFlag("town", 3, region(4, 1, 1, 5)));
  box.put(slowFlag(60));
  box.put(zoneFlag("town"));
  box.put(release("web", "1.0.0"));
  box.put(release("typescript", "1.0.0"));
  box.put(release("web", "1.1.0"));
  expect(box.take()).toEqual([
    mapFlag("town", 3, region(0, 0, 5, 6)),
    slowFlag(60),
    mapFlag("meadow", 9, region(5, 5, 1, 1)),
    zoneFlag("town"),
    release("web", "1.1.0"),
    release("typescript", "1.0.0"),
  ]);
  expect(box.isEmpty).toBe(true);
  expect(box.take()).toEqual([]);
});

test("[PY-11] each remembered session gets a flag on its next answer, once", () => {
  const flags = createAnswerFlags();
  flags.remember("a");
  flags.remember("b");
  const drain = drainFlag(1000, "bye");
  flags.putForAll(drain);
  flags.put("a", slowFlag(50));
  flags.put("unknown", slowFlag(50));
  expect(flags.take(session("a"))).toEqual([drain, slowFlag(50)]);
  expect(flags.take(session("a"))).toEqual([]);
  expect(flags.take(session("b"))).toEqual([drain]);
  expect(flags.take(session("unknown"))).toEqual([]);
  expect(flags.take(undefined)).toEqual([]);
});

test("a call is enough to be remembered; logging out forgets", () => {
  const flags = createAnswerFlags();
  flags.take(session("a"));
  flags.putForAll(slowFlag(50));
  flags.forget("a");
  expect(flags.take(session("a"))).toEqual([]);
});

test("beyond the bound those are forgotten that called longest ago", () => {
  const flags = createAnswerFlags({ maxSessions: 2 });
  flags.remember("a");
  flags.remember("b");
  flags.take(session("a"));
  flags.remember("c");
  flags.putForAll(slowFlag(50));
  expect(flags.take(session("a"))).toHaveLength(1);
  expect(flags.take(session("c"))).toHaveLength(1);
  expect(flags.take(session("b"))).toEqual([]);
});
