import type { Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { createZone } from "./zone.ts";
import type { Zone, ZoneOptions } from "./zone.ts";

/** What came of a replay. */
export interface ReplayResult {
  readonly zone: Zone;
  /** Hashes that were compared. */
  readonly compared: number;
  /** The first tick whose hash differs from the recorded one; undefined when none does. */
  readonly divergedAt: number | undefined;
}

/** Simulates a recording again and compares the hashes. `onTick` sees every tick. */
export function replay(
  recording: Recording,
  options: Pick<ZoneOptions, "types" | "kinds" | "zones">,
  onTick?: (zone: Zone) => void,
): ReplayResult {
  if (!recording.start) throw new Error("the recording has no beginning");
  const zone = createZone({ ...options, from: recording.start });
  const hashes = new Map(recording.hashes.map(({ tick, hash }) => [tick, hash]));
  let compared = 0;
  let divergedAt: number | undefined;
  let next = 0;
  for (;;) {
    for (; recording.inputs[next]?.tick === zone.tick; next++) {
      const { input } = recording.inputs[next] ?? {};
      if (input) zone.apply(input);
    }
    if (zone.tick >= recording.endTick) break;
    zone.step();
    onTick?.(zone);
    const expected = hashes.get(zone.tick);
    if (expected === undefined) continue;
    compared++;
    const { takenHash } = zone;
    if (takenHash?.tick !== zone.tick || takenHash.hash !== expected) divergedAt ??= zone.tick;
  }
  return { zone, compared, divergedAt };
}
