import type { Portal, ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { START_SPAWN } from "../../sim/world-map.ts";
import { MAX_PROBLEMS_SHOWN, MapError } from "./problems.ts";

/**
 * Checks that the portals of a game's maps lead somewhere: to a zone and a spawn of characters that
 * exist, and not into a portal there. Throws a {@link MapError} that names both ends of each that does not.
 */
export function checkPortals(maps: readonly ZoneMap[]): void {
  const byZone = new Map<string, ZoneMap>();
  const problems: string[] = [];
  for (const map of maps) {
    if (byZone.has(map.zone)) problems.push(`zone "${map.zone}": there are two maps of it`);
    byZone.set(map.zone, map);
  }
  for (const map of maps) {
    for (const portal of map.portals) {
      const problem = problemOf(portal, byZone);
      if (problem !== undefined) {
        problems.push(`zone "${map.zone}": portal "${portal.name}" ${problem}`);
      }
    }
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, MAX_PROBLEMS_SHOWN);
    throw new MapError(shown, problems.length - shown.length);
  }
}

function problemOf(portal: Portal, maps: ReadonlyMap<string, ZoneMap>): string | undefined {
  const zone = `zone "${portal.targetZone}"`;
  const target = maps.get(portal.targetZone);
  if (target === undefined) return `leads to ${zone}, which has no map`;
  const name = portal.targetSpawn === "" ? START_SPAWN : portal.targetSpawn;
  const spawn = target.spawns.find((s) => s.name === name);
  if (spawn === undefined) return `leads to spawn "${name}" of ${zone}, which has no such spawn`;
  if (spawn.kind !== "") {
    return `leads to spawn "${name}" of ${zone}, where creatures appear (${spawn.kind}), not characters`;
  }
  const trap = target.portals.find((p) => reaches(spawn, p));
  if (trap !== undefined) {
    return `leads to spawn "${name}" of ${zone}, which reaches into portal "${trap.name}" there`;
  }
  return undefined;
}

/** Whether somebody who appears at the spawn may find themselves in the portal at once. */
function reaches(spawn: ZoneMap["spawns"][number], portal: Portal): boolean {
  const { region } = portal;
  const { position } = spawn;
  if (region === undefined || position === undefined) return false;
  const nearestX = Math.min(Math.max(position.x, region.x), region.x + region.width);
  const nearestY = Math.min(Math.max(position.y, region.y), region.y + region.height);
  return Math.hypot(position.x - nearestX, position.y - nearestY) <= spawn.radius;
}
