import { create, toBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  EntityStateSchema,
  WalkSchema,
  ZoneStateSchema,
} from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import type { EntityState, Walk, ZoneState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { copyCell, packPersistent, packWhole, unpackComponent } from "./components.ts";
import type { Spawner } from "./spawner.ts";
import { addActor, addWithCells, placeOf } from "./world.ts";
import type { Actor, WalkState, World } from "./world.ts";

/** An entity in full. */
export function actorState(world: World, actor: Actor): EntityState {
  const { table } = world;
  const { slot } = actor;
  return create(EntityStateSchema, {
    id: actor.id,
    name: actor.name,
    kind: actor.kind,
    position: { ...placeOf(world, actor), z: 0 },
    velocity: { x: table.vxs[slot] as number, y: table.vys[slot] as number, z: 0 },
    components: (table.cells[slot] ?? []).map(packWhole),
    spawn: actor.spawn,
    walk: walkMessage(actor.walk),
    stepAllowance: actor.allowance,
    insidePortal: actor.insidePortal,
    sequence: actor.sequence,
    blockedTicks: actor.blockedTicks,
    characterId: actor.characterId,
  });
}

/** The components of an entity with the fields that are stored. */
export function persistentComponents(world: World, actor: Actor): Any[] {
  return (world.table.cells[actor.slot] ?? []).flatMap((cell) => packPersistent(cell) ?? []);
}

function walkMessage(walk: WalkState): Walk | undefined {
  switch (walk.kind) {
    case "still":
      return undefined;
    case "direction":
      return create(WalkSchema, { direction: { x: walk.x, y: walk.y } });
    case "way":
      return create(WalkSchema, { way: walk.places.map(({ x, y }) => ({ x, y })) });
  }
}

function walkState(walk: Walk | undefined): WalkState {
  if (!walk) return { kind: "still" };
  if (walk.direction) return { kind: "direction", x: walk.direction.x, y: walk.direction.y };
  return { kind: "way", places: walk.way.map(({ x, y }) => ({ x, y })) };
}

/** The whole state of a zone, its entities by id, without its map. */
export function zoneState(world: World, spawner: Spawner): ZoneState {
  return create(ZoneStateSchema, {
    zone: world.zone,
    tick: world.tick,
    tickRateHz: world.tickRateHz,
    nextEntityId: world.nextEntityId,
    random: [...world.random.state()],
    entities: actorsById(world).map((actor) => actorState(world, actor)),
    pendingSpawns: [...spawner.pending].map(([name, { spawn, tick }]) => ({ name, spawn, tick })),
  });
}

function actorsById(world: World): Actor[] {
  return [...world.actors.values()].sort((a, b) => a.id - b.id);
}

/** Lets an entity that was just added go on as another one was. */
function goOn(
  actor: Actor,
  was: Pick<Actor, "walk" | "allowance" | "blockedTicks" | "insidePortal" | "sequence">,
): void {
  actor.walk = was.walk;
  actor.allowance = was.allowance;
  actor.blockedTicks = was.blockedTicks;
  actor.insidePortal = was.insidePortal;
  actor.sequence = was.sequence;
}

/** Puts the entities of a state into an empty world, in the order of their ids. */
export function restoreActors(world: World, spawner: Spawner, state: ZoneState): void {
  for (const entity of state.entities) {
    const components = entity.components.flatMap((any) => {
      const known = unpackComponent(world.types, any);
      return known ? [known.message] : [];
    });
    const { id, name, kind, characterId, spawn } = entity;
    const place = { x: entity.position?.x ?? 0, y: entity.position?.y ?? 0 };
    const actor = addActor(world, { id, name, kind, place, components, characterId, spawn });
    const { stepAllowance: allowance, blockedTicks, insidePortal, sequence } = entity;
    const walk = walkState(entity.walk);
    goOn(actor, { walk, allowance, blockedTicks, insidePortal, sequence });
    world.table.turn(actor.slot, entity.velocity?.x ?? 0, entity.velocity?.y ?? 0);
  }
  for (const { name, spawn, tick } of state.pendingSpawns)
    spawner.pending.set(name, { spawn, tick });
}

/**
 * Puts the entities of a world into an empty one, in the order of their ids: what {@link restoreActors} does with its {@link zoneState}, and
 * nothing has to be serialized for it. The world before is not changed, and shares nothing with the new one that ever changes. Viewers go on in it.
 */
export function adoptActors(world: World, spawner: Spawner, before: World, from: Spawner): void {
  for (const actor of actorsById(before)) {
    const { slot, id, name, kind, characterId, spawn } = actor;
    const cells = (before.table.cells[slot] ?? []).map(copyCell);
    const place = placeOf(before, actor);
    const adopted = addWithCells(world, { id, name, kind, place, characterId, spawn }, cells);
    goOn(adopted, actor);
    const { vxs, vys } = before.table;
    world.table.turn(adopted.slot, vxs[slot] as number, vys[slot] as number);
  }
  for (const [name, pending] of from.pending) spawner.pending.set(name, pending);
  world.table.adoptHistory(before.table);
}

/** FNV-1a, 32 bits, of the serialized state without its map, then of the map's revision. */
export function hashState(world: World, spawner: Spawner): number {
  let hash = 0x811c9dc5;
  const mix = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const byte of toBinary(ZoneStateSchema, zoneState(world, spawner))) mix(byte);
  for (let shift = 0; shift < 32; shift += 8) mix((world.map.revision >>> shift) & 255);
  return hash >>> 0;
}
