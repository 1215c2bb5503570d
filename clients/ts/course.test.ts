import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SceneSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { positionAt, tickRateOf, turned } from "./course.ts";

const course = {
  tick: 100,
  position: { x: 1, y: 2, z: 3 },
  velocity: { x: 4, y: -2, z: 1 },
};

test("a course goes on by its velocity, before and after its beginning", () => {
  expect(positionAt(course, 105, 10)).toEqual({ x: 3, y: 1, z: 3.5 });
  expect(positionAt(course, 95, 10)).toEqual({ x: -1, y: 3, z: 2.5 });
  expect(positionAt(course, 100, 10)).toBe(course.position);
});

test("who stands stays the same point, for however long", () => {
  const still = { ...course, velocity: { x: 0, y: 0, z: 0 } };
  expect(positionAt(still, 1e9, 10)).toBe(still.position);
});

test("errors do not add up: after a week the place is right to a thousandth of the wire's 1/256", () => {
  const ticks = 7 * 24 * 3_600 * 10;
  const week = { ...course, velocity: { x: 1 / 256, y: 0, z: 0 } };
  expect(Math.abs(positionAt(week, 100 + ticks, 10).x - (1 + ticks / 2_560))).toBeLessThan(1e-6);
});

test("a turn takes effect a tick before the message that tells of it", () => {
  const velocity = { x: 0, y: 10, z: 0 };
  const next = turned(course, velocity, 106, 10);
  expect(next).toEqual({ tick: 105, position: { x: 3, y: 1, z: 3.5 }, velocity });
  expect(positionAt(next, 106, 10)).toEqual({ x: 3, y: 2, z: 3.5 });
});

test("a turn does not move who has just been put somewhere", () => {
  const next = turned(course, { x: 0, y: 10, z: 0 }, 100, 10);
  expect(positionAt(next, 100, 10)).toEqual(course.position);
});

test("without a scene, or with one that has no ticks, nothing moves", () => {
  for (const scene of [undefined, create(SceneSchema, {}), create(SceneSchema, { tickRateHz: -1 })])
    expect(positionAt(course, 105, tickRateOf(scene))).toEqual(course.position);
  expect(tickRateOf(create(SceneSchema, { tickRateHz: 20 }))).toBe(20);
});
