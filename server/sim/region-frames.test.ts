import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { CreatureSchema, PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { RegionFrameSchema } from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import {
  createTestZone,
  drawMap,
  input,
  join,
  move,
  set,
  steps,
  vector,
} from "../../test/support/sim.ts";
import { REGION_TILES, createRegionFramer, regionsAround } from "./region-frames.ts";
import type { RegionPlace } from "./region-frames.ts";

const WEST: RegionPlace = { column: 0, row: 0 };
const EAST: RegionPlace = { column: 1, row: 0 };

function begin(width = 64) {
  const { zone } = createTestZone(drawMap(Array.from({ length: 10 }, () => ".".repeat(width))), {
    recordedInputs: 0,
  });
  const framer = createRegionFramer({
    source: zone,
    zone: "test",
    run: 7,
    mapWidth: width,
    mapHeight: 10,
  });
  return { zone, framer };
}

describe("region frames", () => {
  it("are complete at first, then hold what the tick changed, and are there for quiet regions too", () => {
    const { zone, framer } = begin();
    const ada = join(zone, "ada", { x: 30, y: 5 });
    const bob = join(zone, "bob", { x: 40.5, y: 5 });
    zone.step();
    const [west, east] = framer.frame([WEST, EAST]);
    expect(west).toMatchObject({
      zone: "test",
      run: 7,
      tick: 1,
      column: 0,
      row: 0,
      complete: true,
    });
    expect(west?.entered).toMatchObject([
      { id: ada, name: "ada", owner: "ada", visual: "player", east: 30, south: 5 },
    ]);
    expect(east).toMatchObject({ complete: true, column: 1, entered: [{ id: bob }] });
    move(zone, "bob", { case: "direction", value: vector(0, 0.5) });
    set(zone, "ada", "creature.mood", { case: "stringValue", value: "calm" });
    zone.step();
    const [quiet, moving] = framer.frame([WEST, EAST]);
    expect(moving).toEqual(
      create(RegionFrameSchema, {
        zone: "test",
        run: 7,
        tick: 2,
        column: 1,
        turned: { ids: [bob], xs: [0], ys: [2 * 256] },
      }),
    );
    expect(quiet).toMatchObject({
      complete: false,
      entered: [],
      left: [],
      changed: [{ id: ada, owner: "ada", visual: "player" }],
    });
    expect(quiet?.changed[0]?.components.map(({ type }) => type)).toEqual([
      CreatureSchema.typeName,
    ]);
    set(zone, "ada", "purse.luck", { case: "doubleValue", value: 1 });
    move(zone, "bob", { case: "direction", value: vector(0, 0) });
    steps(zone, 1);
    framer.frame([WEST, EAST]);
    zone.step();
    expect(framer.frame([WEST, EAST])).toEqual(
      [WEST, EAST].map((place) =>
        create(RegionFrameSchema, { zone: "test", run: 7, tick: 4, ...place }),
      ),
    );
  });

  it("[PY-14] hold no field that nobody sees, and an owner's apart from everybody's", () => {
    const { zone, framer } = begin();
    join(zone, "ada", { x: 5, y: 5 });
    set(zone, "ada", "purse.luck", { case: "doubleValue", value: 0.7 });
    zone.step();
    const [frame] = framer.frame([WEST]);
    const found = frame?.entered[0]?.components ?? [];
    const purse = found.find(({ type }) => type === PurseSchema.typeName);
    expect(purse).toMatchObject({ seenBy: 4, near: new Uint8Array(), party: new Uint8Array() });
    expect(anyUnpack(fromBinary(AnySchema, purse?.owner ?? new Uint8Array()), PurseSchema)).toEqual(
      create(PurseSchema, { gold: 5n }),
    );
    const body = found.find(({ type }) => type === BodySchema.typeName);
    expect(body).toMatchObject({ seenBy: 7, party: new Uint8Array(), owner: new Uint8Array() });
    expect(body?.near.length).toBeGreaterThan(0);
  });

  it("tell who crosses from one region into another, and who leaves the zone", () => {
    const { zone, framer } = begin();
    const ada = join(zone, "ada", { x: 31.9, y: 5 });
    zone.step();
    framer.frame([WEST, EAST]);
    move(zone, "ada", { case: "direction", value: vector(1, 0) });
    zone.step();
    const [west, east] = framer.frame([WEST, EAST]);
    expect(west).toMatchObject({ left: [ada], entered: [] });
    expect(east).toMatchObject({ left: [], entered: [{ id: ada }] });
    expect(east?.moved, "its place is told once").toBeUndefined();
    zone.apply(input({ case: "leave", value: { name: "ada" } }));
    zone.step();
    expect(framer.frame([WEST, EAST])).toMatchObject([{ left: [] }, { left: [ada] }]);
  });

  it("are complete again when asked for, and for a region that was not wanted for a while", () => {
    const { zone, framer } = begin();
    const next = (regions: RegionPlace[], complete?: (region: RegionPlace) => boolean) => {
      zone.step();
      return framer.frame(regions, complete).map((frame) => [frame.column, frame.complete]);
    };
    expect(next([WEST, EAST])).toEqual([
      [0, true],
      [1, true],
    ]);
    expect(next([WEST, EAST, WEST], ({ column }) => column === 1)).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(next([EAST])).toEqual([[1, false]]);
    expect(next([WEST, EAST])).toEqual([
      [0, true],
      [1, false],
    ]);
    zone.step();
    expect(next([WEST])).toEqual([[0, true]]);
  });

  it("pass over regions outside the map", () => {
    const { zone, framer } = begin(40);
    zone.step();
    const outside = [
      [-1, 0],
      [2, 0],
      [0, -1],
      [0, 1],
    ].map(([column = 0, row = 0]) => ({ column, row }));
    expect(framer.frame([...outside, EAST])).toMatchObject([{ column: 1 }]);
  });

  it("stay small: ten walkers take fewer than 15 bytes each", () => {
    const { zone, framer } = begin();
    for (let i = 0; i < 10; i++) {
      join(zone, `p${i}`, { x: 2 + i * 2, y: 5 });
      move(zone, `p${i}`, { case: "direction", value: vector(0, -0.5) });
    }
    steps(zone, 2);
    framer.frame([WEST]);
    zone.step();
    const [quiet] = framer.frame([WEST]);
    expect([quiet?.moved, quiet?.turned]).toEqual([undefined, undefined]);
    for (let i = 0; i < 10; i++) move(zone, `p${i}`, { case: "direction", value: vector(0, 0.5) });
    zone.step();
    const [frame] = framer.frame([WEST]);
    expect(frame?.turned?.ids).toHaveLength(10);
    expect(frame && toBinary(RegionFrameSchema, frame).length).toBeLessThan(150);
  });
});

it("regionsAround names each region that a circle touches, inside the map", () => {
  const map = { width: 80, height: 70 };
  const keys = (x: number, y: number, radius: number) =>
    regionsAround({ x, y }, radius, map).map(({ column, row }) => `${column},${row}`);
  expect(keys(16, 16, 10)).toEqual(["0,0"]);
  expect(keys(30, 33, 4)).toEqual(["0,0", "1,0", "0,1", "1,1"]);
  expect(keys(79.9, 69.9, 20)).toEqual(["1,1", "2,1", "1,2", "2,2"]);
  expect(keys(10, 10, REGION_TILES - 10)).toContain("1,1");
});
