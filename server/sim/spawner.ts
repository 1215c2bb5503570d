import type { ObjectRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { startBehaviour } from "./behaviour.ts";
import { addCreature, creatureNames, kindNameOf } from "./population.ts";
import type { Scheduler } from "./scheduler.ts";
import { removeActor } from "./world.ts";
import type { World } from "./world.ts";

/** Creatures that appear in one tick at most, so that a big edit does not make a long one. */
const MAX_SPAWNS_PER_TICK = 50;
/** Seconds until a creature that found no room, or its name taken, is tried again. */
const RETRY_S = 5;

/** Creatures that are to appear, by name, with the tick at which they do. */
export interface Spawner {
  readonly pending: Map<string, { readonly spawn: string; readonly tick: number }>;
}

/** A spawner with nothing to do. */
export function createSpawner(): Spawner {
  return { pending: new Map() };
}

/**
 * Brings the creatures in line with the map's spawns: those whose spawn is gone, counts fewer or is of another kind, leave;
 * those that are missing appear after their spawn's time, or at once at the beginning of a zone.
 */
export function reconcileSpawns(world: World, spawner: Spawner, atOnce = false): void {
  const wanted = new Map<string, string>();
  for (const spawn of world.map.spawns.values()) {
    if (spawn.kind === "") continue;
    for (const name of creatureNames(spawn)) wanted.set(name, spawn.name);
  }
  for (const actor of [...world.actors.values()]) {
    if (actor.spawn === "") continue;
    const isOfKind = world.map.spawns.get(actor.spawn)?.kind === kindNameOf(world, actor);
    if (!isOfKind || wanted.get(actor.name) !== actor.spawn) removeActor(world, actor);
  }
  for (const [name, { spawn }] of spawner.pending) {
    if (wanted.get(name) !== spawn) spawner.pending.delete(name);
  }
  for (const [name, spawnName] of wanted) {
    if (world.actors.has(name) || spawner.pending.has(name)) continue;
    const delay = atOnce ? 0 : (world.map.spawns.get(spawnName)?.respawnS ?? 0);
    const tick = world.tick + 1 + Math.round(delay * world.tickRateHz);
    spawner.pending.set(name, { spawn: spawnName, tick });
  }
}

/** Lets all creatures appear that are to, with what is stored of them: the beginning of a zone. */
export function populate(
  world: World,
  spawner: Spawner,
  stored: (name: string) => ObjectRecord | undefined,
): void {
  for (const [name, { spawn: spawnName }] of [...spawner.pending]) {
    const spawn = world.map.spawns.get(spawnName);
    if (spawn && addCreature(world, spawn, name, stored(name))) spawner.pending.delete(name);
  }
}

/** Lets creatures appear whose time has come. */
export function stepSpawner(world: World, spawner: Spawner, scheduler: Scheduler): void {
  if (spawner.pending.size === 0) return;
  let spawned = 0;
  for (const [name, { spawn: spawnName, tick }] of [...spawner.pending]) {
    if (tick > world.tick + 1 || spawned >= MAX_SPAWNS_PER_TICK) continue;
    spawner.pending.delete(name);
    const spawn = world.map.spawns.get(spawnName);
    if (!spawn) continue;
    const actor = addCreature(world, spawn, name);
    spawned++;
    const retryTick = world.tick + 1 + Math.round(RETRY_S * world.tickRateHz);
    if (actor) startBehaviour(world, scheduler, actor, spawn.kind);
    else spawner.pending.set(name, { spawn: spawnName, tick: retryTick });
  }
}
