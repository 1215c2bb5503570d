import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputSchema, RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ZoneStateSchema } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import {
  happen,
  happenings,
  randomKinds,
  randomWorldMap,
} from "../../test/support/random-world.ts";
import { createTestZone, drawMap, input, join, steps } from "../../test/support/sim.ts";
import { replay } from "./replay.ts";
import { createZone } from "./zone.ts";
import type { Zone } from "./zone.ts";

const scripts = fc.array(happenings, { minLength: 40, maxLength: 140 });

describe("[architecture: the simulation] replay", () => {
  it.each([[8], [100_000]])(
    "gives the same hash at every tick, with %s inputs before a checkpoint",
    (recordedInputs) => {
      fc.assert(
        fc.property(scripts, fc.string(), (script, seed) => {
          const { zone, options } = createTestZone(randomWorldMap(), {
            kinds: randomKinds,
            seed,
            recordedInputs,
          });
          const hashes = new Map<number, number>();
          const step = () => {
            zone.step();
            hashes.set(zone.tick, zone.hash());
          };
          for (const event of script) happen(zone, event, step);
          const recorded = zone.recording();
          if (!recorded) throw new Error("nothing recorded");
          const recording = fromBinary(RecordingSchema, toBinary(RecordingSchema, recorded));
          const result = replay(recording, options, (again) => {
            expect([again.tick, again.hash()]).toEqual([again.tick, hashes.get(again.tick)]);
          });
          expect(result.zone.tick).toBe(zone.tick);
          expect(result.zone.hash()).toBe(zone.hash());
          expect(result.zone.map.toMessage()).toEqual(zone.map.toMessage());
          expect(result.divergedAt).toBeUndefined();
        }),
        { numRuns: 20 },
      );
    },
  );

  it("says where it diverged, and how much it compared", () => {
    const { zone, options } = createTestZone(drawMap(["...."]), { recordedInputs: 100 });
    join(zone, "ada");
    steps(zone, 120);
    const recording = zone.recording();
    if (!recording) throw new Error("nothing recorded");
    expect(replay(recording, options)).toMatchObject({ compared: 2, divergedAt: undefined });
    recording.inputs.push(...recording.inputs.splice(0).map((item) => ({ ...item, tick: 60 })));
    expect(replay(recording, options)).toMatchObject({ compared: 2, divergedAt: 50 });
    const { start: _, ...endless } = recording;
    expect(() => replay(create(RecordingSchema, endless), options)).toThrow("no beginning");
  });
});

describe("[architecture: the simulation] a checkpoint in the middle of a life", () => {
  it("leaves the live zone and one that begins from it equal, hash by hash", () => {
    fc.assert(
      fc.property(scripts, scripts, (before, after) => {
        const { zone, options } = createTestZone(randomWorldMap(), { kinds: randomKinds });
        for (const event of before) happen(zone, event, () => zone.step());
        const untouched = zone.hash();
        const from = zone.checkpoint();
        // What a state leaves out, the live zone would lose as its twin does: only this shows it.
        expect(zone.hash()).toBe(untouched);
        const state = fromBinary(ZoneStateSchema, toBinary(ZoneStateSchema, from));
        const twin = createZone({ ...options, from: state });
        expect(twin.hash()).toBe(zone.hash());
        const both = together(zone, twin);
        for (const event of [...after, { do: "step" as const, ticks: 50 }]) {
          happen(both, event, () => {
            zone.step();
            twin.step();
            expect([zone.tick, twin.hash()]).toEqual([zone.tick, zone.hash()]);
          });
        }
        expect(twin.map.toMessage()).toEqual(zone.map.toMessage());
      }),
      { numRuns: 20 },
    );
  });

  it("changes nothing that can be seen, and loses no event and no save", () => {
    const { zone } = createTestZone(randomWorldMap(), { kinds: randomKinds });
    join(zone, "ada", { x: 30.5, y: 30.5 });
    zone.step();
    zone.apply(input({ case: "say", value: { name: "ada", text: "hi" } }));
    zone.apply(input({ case: "presence", value: { name: "ada", online: false } }));
    join(zone, "bob", { x: 32.5, y: 30.5 });
    const before = zone.hash();
    zone.checkpoint();
    expect(zone.hash()).toBe(before);
    const { personal, saves, moved } = zone.step();
    expect(personal.map(({ character }) => character)).toContain("ada");
    expect(saves).toContain("bob");
    expect(moved).toBe(true);
    expect(zone.step().moved).toBe(false);
  });

  it("cannot be gone on from without its map", () => {
    const { zone, options } = createTestZone(drawMap(["."]));
    const { map: _, ...state } = zone.checkpoint();
    expect(() => createZone({ ...options, from: create(ZoneStateSchema, state) })).toThrow("map");
  });

  it("keeps odd tick rates", () => {
    const { types, kinds, zones } = createTestZone(drawMap(["..."])).options;
    const from = { map: drawMap(["..."]), seed: "", tickRateHz: 12.3 };
    const zone = createZone({ types, kinds, zones, from });
    const state = fromBinary(ZoneStateSchema, toBinary(ZoneStateSchema, zone.checkpoint()));
    expect(createZone({ types, kinds, zones, from: state }).tickRateHz).toBe(zone.tickRateHz);
  });
});

/** Two zones that get the same inputs, each its own copy. */
function together(zone: Zone, twin: Zone): Zone {
  return {
    ...zone,
    get map() {
      return zone.map;
    },
    apply(item: Input) {
      const copy = fromBinary(InputSchema, toBinary(InputSchema, item));
      const outcome = zone.apply(item);
      expect(twin.apply(copy)).toEqual(outcome);
      return outcome;
    },
  };
}
