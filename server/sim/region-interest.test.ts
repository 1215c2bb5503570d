import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RegionFrameSchema } from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import {
  happen,
  happenings,
  NAMES,
  randomKinds,
  randomWorldMap,
  WORLD_TILES,
} from "../../test/support/random-world.ts";
import { createTestZone, drawMap, input, join, move, vector } from "../../test/support/sim.ts";
import { createViewClient, differences, plainExtras } from "../../test/support/view-client.ts";
import { createMirror } from "./mirror.ts";
import { createRegionFramer, regionKey } from "./region-frames.ts";
import type { RegionPlace } from "./region-frames.ts";
import { createRegionInterest, FAR_MARGIN_TILES, NEAR_MARGIN_TILES } from "./region-interest.ts";
import { createViewer } from "./viewer.ts";
import type { ViewSource } from "./sight.ts";
import { WireWriter } from "./wire-writer.ts";

const RADIUS = 9;
const MIRRORED = { width: WORLD_TILES, height: WORLD_TILES, tickRateHz: 10 };
const SIZE = { mapWidth: WORLD_TILES, mapHeight: WORLD_TILES };
const scripts = fc.array(happenings, { minLength: 20, maxLength: 90 });

function clientOf(source: ViewSource, character: string, selfId: number) {
  const writer = new WireWriter();
  const viewer = createViewer({ source, key: "k", selfId, character, radius: RADIUS, writer });
  const client = createViewClient();
  return {
    client,
    read() {
      const bytes = viewer.message(plainExtras);
      if (bytes) client.apply(bytes);
    },
  };
}

test("[property] every character's view on a mirror of these regions is its view on the zone itself, from its first tick on", () => {
  let looks = 0;
  fc.assert(
    fc.property(scripts, (script) => {
      const { zone } = createTestZone(randomWorldMap(), { kinds: randomKinds, recordedInputs: 60 });
      const interest = createRegionInterest({ source: zone, radius: RADIUS, ...SIZE });
      const framer = createRegionFramer({ source: zone, zone: "test", run: 1, ...SIZE });
      const mirror = createMirror(MIRRORED);
      const held = new Map<string, RegionPlace>();
      const eyes = new Map<number, ReturnType<typeof clientOf>[]>();
      const look = () => {
        zone.step();
        const regions = interest.regions();
        for (const frame of framer.frame(regions)) {
          const bytes = toBinary(RegionFrameSchema, frame);
          expect(mirror.apply(fromBinary(RegionFrameSchema, bytes))).toBe(true);
        }
        const wanted = new Set(regions.map(regionKey));
        for (const [key, region] of held) if (!wanted.has(key)) mirror.forget(region);
        held.clear();
        for (const region of regions) held.set(regionKey(region), region);
        for (const name of NAMES) {
          const id = zone.brief(name)?.id;
          if (id === undefined) continue;
          const pair = eyes.get(id) ?? [clientOf(zone, name, id), clientOf(mirror, name, id)];
          eyes.set(id, pair);
          for (const { read, client } of pair) {
            read();
            client.reckon(zone.tick);
          }
          const [seen = new Map(), far = new Map()] = pair.map(({ client }) => client.seen);
          expect(differences(far, { seen, rim: new Set() })).toEqual([]);
          expect(seen.size).toBeGreaterThan(0);
          looks++;
        }
      };
      for (const who of [0, 1]) happen(zone, { do: "join", who }, look);
      for (const event of script) happen(zone, event, look);
    }),
    { numRuns: 40 },
  );
  expect(looks).toBeGreaterThan(500);
});

/** A plain of three regions in a row. */
function setUp() {
  const { zone } = createTestZone(drawMap(Array.from({ length: 4 }, () => ".".repeat(96))));
  const interest = createRegionInterest({
    source: zone,
    radius: 5,
    mapWidth: 96,
    mapHeight: 4,
  });
  const columns = () => {
    zone.step();
    return interest.regions().map(({ column }) => column);
  };
  return { zone, columns };
}

test("nobody looks anywhere, and who left looks no more", () => {
  const { zone, columns } = setUp();
  expect(columns()).toEqual([]);
  join(zone, "ada", { x: 1.5, y: 2 });
  join(zone, "bob", { x: 94.5, y: 2 });
  expect(columns()).toEqual([0, 2]);
  zone.apply(input({ case: "leave", value: { name: "ada" } }));
  expect(columns()).toEqual([2]);
});

test("a region is told from a little beyond the view on, and until well beyond it", () => {
  const { zone, columns } = setUp();
  join(zone, "ada", { x: 16, y: 2 }, { speed: 1 });
  expect(columns()).toEqual([0]);
  const near = 32 - 5 - NEAR_MARGIN_TILES;
  const far = 32 - 5 - FAR_MARGIN_TILES;
  const walk = (x: number, until: number) => {
    move(zone, "ada", { case: "direction", value: vector(x, 0) });
    let seen: number[] = [];
    const place = () => zone.stateOf("ada")?.entity.position?.x ?? Number.NaN;
    while (x > 0 ? place() < until : place() > until) seen = columns();
    return seen;
  };
  expect(walk(1, near - 0.5)).toEqual([0]);
  expect(walk(1, near + 0.1)).toEqual([0, 1]);
  expect(walk(-1, far + 0.5)).toEqual([0, 1]);
  expect(walk(-1, far - 0.1)).toEqual([0]);
});
