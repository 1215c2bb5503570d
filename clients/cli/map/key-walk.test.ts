import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MoveRefusal } from "../../ts/index.ts";
import { createManualClock } from "../../ts/testing/manual-clock.ts";
import { VectorSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { MoveResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { directionOf, directionOfKey } from "./directions.ts";
import { createKeyWalk } from "./key-walk.ts";

const NORTH = { x: 0, y: -1 };

function createWalk(refusal: MoveRefusal = MoveRefusal.UNSPECIFIED) {
  const clock = createManualClock();
  const calls: string[] = [];
  const told: MoveRefusal[] = [];
  const moved = refusal === MoveRefusal.UNSPECIFIED;
  const response = create(MoveResponseSchema, { moved, refusal });
  const result = { ...response, position: create(VectorSchema) };
  const walk = createKeyWalk({
    mover: {
      direction: async ({ x, y }) => (calls.push(`${x},${y}`), result),
      stop: async () => (calls.push("stop"), result),
    },
    now: clock.now,
    after: clock.after,
    onRefused: (one) => told.push(one),
    onError: (error) => {
      throw error;
    },
  });
  return { walk, clock, calls, told };
}

test("a key that is held walks on, and a quarter of a second after it is let go the walk ends", () => {
  const { walk, clock, calls } = createWalk();
  for (let i = 0; i < 10; i++) {
    walk.press(NORTH);
    clock.advance(100);
  }
  expect(calls).not.toContain("stop");
  clock.advance(150);
  expect(calls.at(-1)).toBe("stop");
  clock.advance(1_000);
  walk.stop();
  expect(calls.filter((call) => call === "stop")).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test("a wall is told of once in two seconds", async () => {
  const { walk, clock, told } = createWalk(MoveRefusal.BARRIER);
  for (let i = 0; i < 25; i++) {
    walk.press(NORTH);
    clock.advance(100);
    await Promise.resolve();
  }
  expect(told).toEqual([MoveRefusal.BARRIER, MoveRefusal.BARRIER]);
});

test("directions go by words, their first letters and keys, all at the same speed", () => {
  expect(directionOf("North")).toEqual(NORTH);
  expect(directionOf("north-east")).toEqual(directionOf("ne"));
  expect(directionOf("nowhere")).toBeUndefined();
  for (const key of ["up", "w", "k"]) expect(directionOfKey(key)).toEqual(NORTH);
  expect(directionOfKey("x")).toBeUndefined();
  for (const key of ["y", "u", "b", "n", "h", "left"]) {
    const { x, y } = directionOfKey(key) ?? { x: 0, y: 0 };
    expect(Math.hypot(x, y)).toBeCloseTo(1, 9);
  }
});
