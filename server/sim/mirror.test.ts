import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegionFrameSchema } from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import type { RegionFrame } from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import {
  WORLD_TILES,
  happen,
  happenings,
  randomKinds,
  randomWorldMap,
} from "../../test/support/random-world.ts";
import {
  createTestZone,
  drawMap,
  input,
  join,
  move,
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
import { createMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";
import { createRandom, randomStateOf } from "./random.ts";
import { createRegionFramer, regionKey, regionsAround } from "./region-frames.ts";
import type { RegionPlace } from "./region-frames.ts";
import { createViewer } from "./viewer.ts";
import type { ViewSource } from "./sight.ts";
import { WireWriter } from "./wire-writer.ts";
import type { Zone } from "./zone.ts";

const RADIUS = 9;
const SIZE = { width: WORLD_TILES, height: WORLD_TILES, tickRateHz: 10 };
const ALL = regionsAround({ x: 40, y: 40 }, 60, SIZE);

function overTheWire(frame: RegionFrame): RegionFrame {
  return fromBinary(RegionFrameSchema, toBinary(RegionFrameSchema, frame));
}

function framerOf(zone: Zone, run = 1, size = SIZE) {
  return createRegionFramer({
    source: zone,
    zone: "test",
    run,
    mapWidth: size.width,
    mapHeight: size.height,
  });
}

function clientOf(source: ViewSource, name: string, selfId: number, writer = new WireWriter()) {
  const viewer = createViewer({
    source,
    key: "k",
    selfId,
    character: name,
    radius: RADIUS,
    writer,
  });
  const client = createViewClient();
  return {
    viewer,
    client,
    read() {
      const bytes = viewer.message(plainExtras);
      return bytes && client.apply(bytes);
    },
  };
}

/** What a mirror holds, in numbers and bytes, by id. */
function contents({ table }: Mirror) {
  const slots = Array.from({ length: table.limit }, (_, slot) => slot).filter(
    (slot) => table.ids[slot] !== 0,
  );
  return slots
    .map((slot) => ({
      id: table.ids[slot] as number,
      course: [
        table.courseXs[slot],
        table.courseYs[slot],
        table.courseVxs[slot],
        table.courseVys[slot],
        table.courseTicks[slot],
      ].map((value) => (value ?? NaN) + 0),
      words: [table.names[slot], table.visuals[slot], table.owners[slot], table.kinds[slot]],
      cells: (table.cells[slot] ?? []).map(({ type, encoded }) => ({ type, encoded })),
    }))
    .sort((a, b) => a.id - b.id);
}

const scripts = fc.array(happenings, { minLength: 20, maxLength: 90 });

describe("[architecture: interest] a viewer on a mirror", () => {
  it("holds at every tick what a viewer on the zone's own table holds", () => {
    let crossed = 0;
    fc.assert(
      fc.property(scripts, fc.string(), (script, seed) => {
        const chance = createRandom(randomStateOf(seed));
        const { zone } = createTestZone(randomWorldMap(), {
          kinds: randomKinds,
          recordedInputs: 60,
        });
        const framer = framerOf(zone);
        const mirror = createMirror(SIZE);
        let wanted = new Map<string, RegionPlace>();
        const pairs = new Map<
          string,
          { id: number; own: ReturnType<typeof clientOf>; far: ReturnType<typeof clientOf> }
        >();
        const look = () => {
          zone.step();
          const regions = new Map<string, RegionPlace>();
          for (const name of ["p0", "p1", "p2"]) {
            const at = zone.stateOf(name)?.entity.position;
            for (const region of at ? regionsAround(at, RADIUS, SIZE) : [])
              regions.set(regionKey(region), region);
          }
          for (const [key, region] of wanted) if (!regions.has(key)) mirror.forget(region);
          wanted = regions;
          const frames = framer.frame(regions.values()).map(overTheWire);
          frames.sort(() => chance.next() - 0.5);
          for (const frame of frames) {
            if (!frame.complete) crossed += frame.left.length;
            expect(mirror.apply(frame)).toBe(true);
          }
          for (const name of ["p0", "p1", "p2"]) {
            const id = zone.brief(name)?.id;
            if (id === undefined) {
              pairs.delete(name);
              continue;
            }
            if (pairs.get(name)?.id !== id)
              pairs.set(name, {
                id,
                own: clientOf(zone, name, id),
                far: clientOf(mirror, name, id),
              });
            const { own, far } = pairs.get(name) as NonNullable<ReturnType<typeof pairs.get>>;
            expect(mirror.tick).toBe(zone.tick);
            for (const { read, client } of [own, far]) {
              read();
              client.reckon(zone.tick);
            }
            const expected = { seen: own.client.seen, rim: new Set<number>() };
            expect(differences(far.client.seen, expected)).toEqual([]);
          }
        };
        for (const who of [0, 1, 2]) happen(zone, { do: "join", who }, look);
        for (const event of script) happen(zone, event, look);
      }),
      { numRuns: 30 },
    );
    expect(crossed, "entities that left regions").toBeGreaterThan(20);
  });

  it("holds what is to be seen again after frames were lost, late or doubled, and a viewer stalled", () => {
    let gaps = 0;
    fc.assert(
      fc.property(scripts, fc.string(), (script, seed) => {
        const chance = createRandom(randomStateOf(seed));
        const { zone } = createTestZone(randomWorldMap(), {
          kinds: randomKinds,
          recordedInputs: 60,
        });
        const framer = framerOf(zone);
        const mirror = createMirror(SIZE);
        const broken = new Set<string>();
        // Frames on their way, by region: those of one region keep their order.
        const onTheWay = new Map<string, RegionFrame[]>(
          ALL.map((region) => [regionKey(region), []]),
        );
        let far: ReturnType<typeof clientOf> | undefined;
        let id = -1;
        const deliver = (queue: RegionFrame[]) => {
          const frame = queue.shift() as RegionFrame;
          if (chance.next() < 0.1) mirror.apply(frame);
          if (mirror.apply(frame)) return;
          broken.add(regionKey(frame));
          gaps++;
        };
        const look = (calm: boolean) => {
          zone.step();
          const asked = new Set(broken);
          broken.clear();
          for (const frame of framer.frame(ALL, (region) => asked.has(regionKey(region)))) {
            if (calm || chance.next() < 0.9)
              onTheWay.get(regionKey(frame))?.push(overTheWire(frame));
          }
          for (const queue of onTheWay.values()) {
            while (queue.length > 0 && (calm || chance.next() < 0.7)) deliver(queue);
          }
          const now = zone.brief("p0")?.id ?? -1;
          if (now !== id) far = clientOf(mirror, "p0", now);
          id = now;
          if (calm || chance.next() < 0.7) far?.read();
        };
        happen(zone, { do: "join", who: 0 }, () => look(false));
        for (const event of script) happen(zone, event, () => look(false));
        if (id === -1) happen(zone, { do: "join", who: 0 }, () => look(false));
        // One tick to notice what is missing, one to be sent it.
        for (let i = 0; i < 3; i++) look(true);
        expect(mirror.tick).toBe(zone.tick);
        far?.client.reckon(zone.tick);
        const expected = expectedView(zone, namesIn(zone), "p0", RADIUS);
        expect(differences(far?.client.seen ?? new Map(), expected)).toEqual([]);
        const fresh = createMirror(SIZE);
        for (const frame of framer.frame(ALL, () => true)) fresh.apply(overTheWire(frame));
        expect(contents(mirror)).toEqual(contents(fresh));
      }),
      { numRuns: 40 },
    );
    expect(gaps).toBeGreaterThan(20);
  });
});

describe("a mirror", () => {
  const size = { width: 64, height: 10, tickRateHz: 10 };
  const WEST = { column: 0, row: 0 };
  const EAST = { column: 1, row: 0 };

  function begin(run = 1) {
    const { zone } = createTestZone(drawMap(Array.from({ length: 10 }, () => ".".repeat(64))));
    const framer = framerOf(zone, run, size);
    return {
      zone,
      next: (): [RegionFrame, RegionFrame] => {
        zone.step();
        return framer.frame([WEST, EAST]).map(overTheWire) as [RegionFrame, RegionFrame];
      },
    };
  }

  it("takes a missing tick for a loss, keeps the region as it was, and goes on from a complete frame", () => {
    const { zone, next } = begin();
    const ada = join(zone, "ada", { x: 5, y: 5 });
    const mirror = createMirror(size);
    const [first, east] = next();
    expect(mirror.apply({ ...first, complete: false }), "a beginning that is not complete").toBe(
      false,
    );
    expect([mirror.tick, mirror.table.count]).toEqual([0, 0]);
    expect([mirror.apply(first), mirror.apply(east)]).toEqual([true, true]);
    move(zone, "ada", { case: "direction", value: vector(1, 0) });
    const [lost, east2] = next();
    const [late, east3] = next();
    expect([
      mirror.apply(east2),
      mirror.apply(late),
      mirror.apply(lost),
      mirror.apply(east3),
    ]).toEqual([true, false, false, true]);
    expect(mirror.table.xs[mirror.table.slotOf(ada) ?? -1]).toBe(5);
    expect(mirror.tick, "the others go on").toBe(3);
    const whole = createRegionFramer({
      source: zone,
      zone: "test",
      run: 1,
      mapWidth: 64,
      mapHeight: 10,
    }).frame([WEST]);
    expect(mirror.apply(overTheWire(whole[0] as RegionFrame))).toBe(true);
    expect(mirror.table.xs[mirror.table.slotOf(ada) ?? -1]).toBeCloseTo(5.8, 2);
    expect(mirror.apply(lost), "what is old is passed over").toBe(true);
    expect(mirror.table.xs[mirror.table.slotOf(ada) ?? -1]).toBeCloseTo(5.8, 2);
  });

  it("keeps who crosses between regions one and the same, whichever frame comes first", () => {
    for (const eastFirst of [true, false]) {
      const { zone, next } = begin();
      const ada = join(zone, "ada", { x: 31.9, y: 5 });
      const mirror = createMirror(size);
      for (const frame of next()) mirror.apply(frame);
      const { read, client } = clientOf(mirror, "ada", ada);
      read();
      move(zone, "ada", { case: "direction", value: vector(1, 0) });
      const frames = next();
      for (const frame of eastFirst ? frames.reverse() : frames) mirror.apply(frame);
      const update = read();
      expect(update).toMatchObject({ entities: [], left: [], changed: [], turned: { ids: [ada] } });
      expect(client.seen.get(ada)?.x).toBeCloseTo(32.3, 3);
      expect(mirror.table.count).toBe(1);
    }
  });

  it("keeps who came into a region that lags while the region it left was told anew", () => {
    const { zone, next } = begin();
    const ada = join(zone, "ada", { x: 31.9, y: 5 });
    const mirror = createMirror(size);
    for (const frame of next()) mirror.apply(frame);
    move(zone, "ada", { case: "direction", value: vector(1, 0) });
    const [, come] = next();
    const [, east3] = next();
    const framer = framerOf(zone, 1, size);
    mirror.apply(overTheWire(framer.frame([WEST])[0] as RegionFrame));
    expect(mirror.table.slotOf(ada), "nobody said yet that it is gone").toBeDefined();
    expect([mirror.apply(come), mirror.apply(east3)]).toEqual([true, true]);
    expect(mirror.table.xs[mirror.table.slotOf(ada) ?? -1]).toBeCloseTo(32.7, 2);
  });

  it("begins anew with a new run, and only by a complete frame", () => {
    const before = begin(1);
    join(before.zone, "ada", { x: 5, y: 5 });
    join(before.zone, "bob", { x: 40, y: 5 });
    steps(before.zone, 100);
    const mirror = createMirror(size);
    for (const frame of before.next()) mirror.apply(frame);
    const after = begin(2);
    join(after.zone, "cleo", { x: 6, y: 5 });
    const [west] = after.next();
    expect(mirror.apply({ ...west, complete: false })).toBe(false);
    expect([mirror.run, mirror.table.count, mirror.tick]).toEqual([1, 2, 101]);
    expect(mirror.apply(west)).toBe(true);
    expect([mirror.run, mirror.tick]).toEqual([2, 1]);
    expect(contents(mirror).map(({ words }) => words[0])).toEqual(["cleo"]);
  });

  it("lets go of a region with all that is in it", () => {
    const { zone, next } = begin();
    join(zone, "ada", { x: 5, y: 5 });
    join(zone, "bob", { x: 40, y: 5 });
    const mirror = createMirror(size);
    for (const frame of next()) mirror.apply(frame);
    mirror.forget(WEST);
    mirror.forget(WEST);
    expect(contents(mirror).map(({ words }) => words[0])).toEqual(["bob"]);
    const [west, east] = next();
    expect([mirror.apply(west), mirror.apply(east)]).toEqual([false, true]);
    expect(mirror.tick).toBe(2);
  });

  it("forgets who left the zone, and costs nothing for who came and went", () => {
    const { zone, next } = begin();
    const mirror = createMirror(size);
    for (const frame of next()) mirror.apply(frame);
    for (let i = 0; i < 200; i++) {
      join(zone, "ada", { x: 5, y: 5 });
      for (const frame of next()) mirror.apply(frame);
      expect(mirror.table.count).toBe(1);
      zone.apply(input({ case: "leave", value: { name: "ada" } }));
      for (const frame of next()) mirror.apply(frame);
      expect(mirror.table.count).toBe(0);
    }
    expect(mirror.table.limit).toBe(1);
  });
});
