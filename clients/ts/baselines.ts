import type { Baseline } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";

/** What the server said once for several entities. */
export interface Baselines {
  /**
   * Takes what a message tells, and makes its entities whole: each gets what its baseline holds. To be asked for each message, in order.
   * Answers how many entities name a baseline that was never told; they stay as they are.
   */
  complete(response: UpdateResponse): number;
}

/** None told so far. */
export function createBaselines(): Baselines {
  const told = new Map<number, Baseline>();
  return {
    complete({ baselines, entities }) {
      for (const baseline of baselines) told.set(baseline.number, baseline);
      let unknown = 0;
      for (const entity of entities) {
        if (entity.baseline === 0) continue;
        const baseline = told.get(entity.baseline);
        if (baseline === undefined) {
          unknown++;
          continue;
        }
        const { kind, visual, components } = baseline;
        Object.assign(entity, { kind, visual, components });
      }
      return unknown;
    },
  };
}
