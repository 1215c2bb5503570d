import type { Scene } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Point } from "./value.ts";

/** Where something is at a tick, and the velocity that it goes on with: all that is needed until there is news of it. */
export interface Course {
  readonly tick: number;
  /** In tiles. */
  readonly position: Point;
  /** In tiles a second of the zone's own time, which a slow world stretches along with its ticks. */
  readonly velocity: Point;
}

/** Ticks a second of the zone's own time. Without a scene time stands still: infinitely many. */
export function tickRateOf(scene: Scene | undefined): number {
  return scene && scene.tickRateHz > 0 ? scene.tickRateHz : Infinity;
}

/** Where a course leads by a tick, which may have a fraction. Always reckoned from its beginning, so errors do not add up. */
export function positionAt(course: Course, tick: number, rateHz: number): Point {
  const { position, velocity } = course;
  const seconds = (tick - course.tick) / rateHz;
  if (seconds === 0 || isStill(velocity)) return position;
  return {
    x: position.x + velocity.x * seconds,
    y: position.y + velocity.y * seconds,
    z: position.z + velocity.z * seconds,
  };
}

/** The course of something that goes on as it did until the tick before this one, and by another velocity from there. */
export function turned(course: Course, velocity: Point, tick: number, rateHz: number): Course {
  // Somebody whose place at this very tick is known already does not go back for it.
  const corner = Math.max(course.tick, tick - 1);
  return { tick: corner, position: positionAt(course, corner, rateHz), velocity };
}

/** Whether two points are the same to the last bit. */
export function samePoint(a: Point, b: Point): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}

function isStill({ x, y, z }: Point): boolean {
  return x === 0 && y === 0 && z === 0;
}
