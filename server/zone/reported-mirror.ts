import type { RegionFrame } from "../../gen/ts/realmwire/internal/v1/frame_pb.ts";
import { createMirror } from "../sim/mirror.ts";
import type { Mirror } from "../sim/mirror.ts";
import { regionKey } from "../sim/region-frames.ts";
import type { RegionPlace } from "../sim/region-frames.ts";

/** A mirror that is kept by the reports of a zone, each of which has all regions that it tells of. */
export interface ReportedMirror {
  readonly mirror: Mirror;
  /** Takes the regions of a report over, and forgets all others. False: something before it is missing, and has to be told afresh. */
  takeOver(regions: readonly RegionFrame[]): boolean;
}

/** A mirror that shows nothing yet, of a zone whose map has this size in tiles. */
export function createReportedMirror(size: Parameters<typeof createMirror>[0]): ReportedMirror {
  const mirror = createMirror(size);
  const held = new Map<string, RegionPlace>();
  return {
    mirror,
    takeOver(regions) {
      const shown = new Set<string>();
      let isWhole = true;
      for (const frame of regions) {
        const { column, row } = frame;
        const key = regionKey(frame);
        shown.add(key);
        held.set(key, { column, row });
        if (!mirror.apply(ownBytes(frame))) isWhole = false;
      }
      for (const [key, region] of held) {
        if (shown.has(key)) continue;
        held.delete(key);
        mirror.forget(region);
      }
      return isWhole;
    },
  };
}

/** The frame with bytes of its own: those that came are parts of a message that the mirror would keep as a whole. */
function ownBytes(frame: RegionFrame): RegionFrame {
  for (const { components } of [...frame.entered, ...frame.changed]) {
    for (const component of components) {
      component.near = component.near.slice();
      component.party = component.party.slice();
      component.owner = component.owner.slice();
    }
  }
  return frame;
}
