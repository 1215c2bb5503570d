import { describe, expect, it } from "vitest";
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
import { RECORDING_BYTES, RECORDING_TICKS } from "./recorder.ts";
import { HASH_EVERY_TICKS } from "./rolling-hash.ts";
import type { Zone } from "./zone.ts";

const MAP = drawMap(["....", "....", "...."]);

function talk(zone: Zone, times: number): void {
  for (let i = 0; i < times; i++)
    zone.apply(input({ case: "say", value: { name: "ada", text: `${i}` } }));
}

describe("the recorder", () => {
  it("records nothing unless asked to", () => {
    const { zone } = createTestZone(MAP);
    join(zone, "ada");
    zone.step();
    expect(zone.recording()).toBeUndefined();
  });

  it("keeps the beginning, the inputs with their ticks, and a hash now and then", () => {
    const { zone } = createTestZone(MAP, { recordedInputs: 100 });
    join(zone, "ada");
    steps(zone, 60);
    move(zone, "ada", { case: "direction", value: vector(1, 0) });
    zone.step();
    const recording = zone.recording();
    expect(recording).toMatchObject({ game: "test", endTick: 61, start: { tick: 0 } });
    expect(recording?.inputs.map(({ tick, input }) => [tick, input?.kind.case])).toEqual([
      [0, "join"],
      [60, "move"],
    ]);
    expect(recording?.hashes.map(({ tick }) => tick)).toEqual([HASH_EVERY_TICKS]);
  });

  it("[JW-5] is bounded: it holds at most two parts of as many inputs, and always at least one", () => {
    const { zone } = createTestZone(MAP, { recordedInputs: 10 });
    join(zone, "ada");
    for (let i = 0; i < 50; i++) {
      talk(zone, 3);
      zone.step();
      const inputs = zone.recording()?.inputs ?? [];
      // Inputs of a tick are never divided, and a checkpoint is one.
      expect(inputs.length).toBeLessThanOrEqual(2 * (10 + 2) + 1);
      if (i > 3) expect(inputs.length).toBeGreaterThanOrEqual(10);
    }
    expect(zone.recording()?.start?.tick).toBeGreaterThan(40);
  });

  it("[JW-5] is bounded in bytes, however long the values are that are set", () => {
    const { zone } = createTestZone(MAP, { recordedInputs: 20_000 });
    join(zone, "ada");
    const text = "x".repeat(60_000);
    let most = 0;
    for (let i = 0; i < 400; i++) {
      set(zone, "ada", "creature.mood", { case: "stringValue", value: `${i}${text}` });
      zone.step();
      most = Math.max(most, zone.recording()?.inputs.length ?? 0);
    }
    expect(most).toBeGreaterThan(RECORDING_BYTES / 60_100);
    expect(most).toBeLessThan(2 * (RECORDING_BYTES / 60_000 + 2));
  });

  it("is bounded in time", () => {
    const { zone } = createTestZone(drawMap(["."]), { recordedInputs: 10 });
    steps(zone, 2 * RECORDING_TICKS + 1);
    const recording = zone.recording();
    expect(recording?.start?.tick).toBe(RECORDING_TICKS);
    expect(recording?.inputs.map(({ input }) => input?.kind.case)).toEqual(["checkpoint"]);
    expect(recording?.hashes).toHaveLength(RECORDING_TICKS / HASH_EVERY_TICKS);
  });

  it("gives a copy that later ticks do not change", () => {
    const { zone } = createTestZone(MAP, { recordedInputs: 100 });
    join(zone, "ada");
    const recording = zone.recording();
    talk(zone, 5);
    steps(zone, 100);
    expect(recording?.inputs).toHaveLength(1);
    expect(recording?.hashes).toHaveLength(0);
  });
});
