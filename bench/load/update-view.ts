import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  UpdateRequestSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { TICK_RATE_HZ, playerOf, toUnits } from "../world/rules.ts";
import type { View } from "./client.ts";

/** What opens the update stream, as the SDK does it. */
export const OPEN_UPDATES = toBinary(
  UpdateRequestSchema,
  create(UpdateRequestSchema, { baselines: true }),
);

/** Where an entity is, in units, and how fast it goes on, in units a second. */
interface Course {
  x: number;
  y: number;
  vx: number;
  vy: number;
}

/** A view from `UpdateResponse` messages, read with the generated code: it owes nothing to how they were written. */
export function createUpdateView(player: number): View {
  const places = new Map<number, Course>();
  const ids = new Map<number, number>();
  const baselines = new Set<number>();
  let selfId = 0;
  let tick = 0;

  function reckon(to: number): void {
    const seconds = (to - tick) / TICK_RATE_HZ;
    tick = to;
    for (const course of places.values()) {
      course.x += course.vx * seconds;
      course.y += course.vy * seconds;
    }
  }

  function known(id: number): Course {
    const course = places.get(id);
    if (!course) throw new Error(`entity ${id} moves and was never shown`);
    return course;
  }

  return {
    apply(message) {
      const {
        tick: now,
        scene,
        baselines: told,
        entities,
        moved,
        turned,
        left,
      } = fromBinary(UpdateResponseSchema, message);
      if (scene) {
        places.clear();
        ids.clear();
        ({ selfId } = scene);
      }
      reckon(now - 1);
      for (const [index, id] of (turned?.ids ?? []).entries()) {
        Object.assign(known(id), { vx: turned?.xs[index] ?? 0, vy: turned?.ys[index] ?? 0 });
      }
      reckon(now);
      for (const { number } of told) baselines.add(number);
      for (const { id, name, position, velocity, baseline } of entities) {
        if (baseline !== 0 && !baselines.has(baseline))
          throw new Error(`entity ${id} is like baseline ${baseline}, which was never told`);
        const { x = 0, y = 0 } = position ?? {};
        const { x: vx = 0, y: vy = 0 } = velocity ?? {};
        places.set(id, { x: toUnits(x), y: toUnits(y), vx: toUnits(vx), vy: toUnits(vy) });
        ids.set(playerOf(name), id);
      }
      for (const [index, id] of (moved?.ids ?? []).entries()) {
        Object.assign(known(id), {
          x: (moved?.originX ?? 0) + (moved?.xs[index] ?? 0),
          y: (moved?.originY ?? 0) + (moved?.ys[index] ?? 0),
        });
      }
      for (const id of left) {
        if (!places.delete(id)) throw new Error(`entity ${id} left and was never shown`);
      }
    },
    size: () => places.size,
    seesItself: () => places.has(selfId) && ids.get(player) === selfId,
    placeOf(other) {
      const course = places.get(ids.get(other) ?? 0);
      return course && { x: Math.round(course.x), y: Math.round(course.y) };
    },
  };
}
