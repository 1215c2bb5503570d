import { fromBinary } from "@bufbuild/protobuf";
import { UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Place } from "../world/rules.ts";
import { playerOf, toUnits } from "../world/rules.ts";
import type { View } from "./client.ts";

/** A view from `UpdateResponse` messages, read with the generated code: it owes nothing to how they were written. */
export function createUpdateView(player: number): View {
  const places = new Map<number, Place>();
  const ids = new Map<number, number>();
  let selfId = 0;
  return {
    apply(message) {
      const { scene, entities, moved, left } = fromBinary(UpdateResponseSchema, message);
      if (scene) {
        places.clear();
        ids.clear();
        ({ selfId } = scene);
      }
      for (const { id, name, position } of entities) {
        places.set(id, { x: toUnits(position?.x ?? 0), y: toUnits(position?.y ?? 0) });
        ids.set(playerOf(name), id);
      }
      for (const [index, id] of (moved?.ids ?? []).entries()) {
        if (!places.has(id)) throw new Error(`entity ${id} moves and was never shown`);
        places.set(id, {
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
    placeOf: (other) => places.get(ids.get(other) ?? 0),
  };
}
