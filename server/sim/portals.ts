import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { actorState } from "./state.ts";
import { START_SPAWN } from "./world-map.ts";
import { placeOf, removeActor } from "./world.ts";
import type { World } from "./world.ts";

/** A character on its way to another zone. It is in neither until it joins the other one. */
export interface Transfer {
  readonly character: EntityState;
  readonly zone: string;
  /** The spawn to appear at. */
  readonly spawn: string;
}

/** Takes characters that stepped into a portal out of the zone. */
export function stepPortals(world: World): Transfer[] {
  const transfers: Transfer[] = [];
  if (world.map.portals.size === 0) return transfers;
  for (const actor of world.bySlot) {
    if (actor?.kind !== EntityKind.CHARACTER) continue;
    const { x, y } = placeOf(world, actor);
    const portal = world.map.portalAt(x, y);
    const before = actor.insidePortal;
    actor.insidePortal = portal?.name ?? "";
    if (!portal || portal.name === before) continue;
    const character = actorState(world, actor);
    removeActor(world, actor);
    const spawn = portal.targetSpawn || START_SPAWN;
    transfers.push({ character, zone: portal.targetZone, spawn });
  }
  return transfers;
}
