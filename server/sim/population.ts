import { clone, create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ObjectRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Body } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { MapObject, Spawn } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { unpackComponent } from "./components.ts";
import type { Place } from "./movement.ts";
import { writeValue } from "./value.ts";
import { START_SPAWN } from "./world-map.ts";
import { addActor, component, mayStand, radiusOf } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** Places around a spawn that are tried by chance before a ring search. */
const SPAWN_TRIES = 16;
/** How far the ring search goes, in tiles. */
const SPAWN_SEARCH_TILES = 24;

/** The kind whose script moves an entity; empty for characters and things without one. */
export function kindNameOf(world: World, actor: Actor): string {
  const body: Body | undefined = component(world, actor, BodySchema);
  return body?.script ?? "";
}

/** Puts a thing of the map into the world, with what is stored of it. Nothing comes back when its name is taken. */
export function addObject(
  world: World,
  object: MapObject,
  stored?: ObjectRecord,
): Actor | undefined {
  const { name, kind, position, attributes } = object;
  if (world.actors.has(name)) return undefined;
  const place = stored?.position ?? position ?? { x: 0, y: 0 };
  const components = withStored(world, createComponents(world, kind, attributes), stored);
  return addActor(world, {
    name,
    kind: entityKindOf(world, kind),
    place: { x: place.x, y: place.y },
    components,
  });
}

/** Puts a creature of a spawn into the world. Nothing comes back when its name is taken or there is no room. */
export function addCreature(
  world: World,
  spawn: Spawn,
  name: string,
  stored?: ObjectRecord,
): Actor | undefined {
  if (world.actors.has(name)) return undefined;
  const components = withStored(world, createComponents(world, spawn.kind, {}), stored);
  const body = components.find((item): item is Body => item.$typeName === BodySchema.typeName);
  const place = findRoom(world, spawn, radiusOf(body), body?.physical ?? false);
  if (!place) return undefined;
  return addActor(world, {
    name,
    kind: entityKindOf(world, spawn.kind),
    place,
    components,
    spawn: spawn.name,
  });
}

/** The names of the creatures that a spawn keeps alive. */
export function creatureNames(spawn: Spawn): string[] {
  return Array.from({ length: spawn.count }, (_, i) => `${spawn.name}-${i + 1}`);
}

function entityKindOf(world: World, kind: string): EntityKind {
  return world.kinds.get(kind)?.is === "creature" ? EntityKind.CREATURE : EntityKind.OBJECT;
}

function createComponents(
  world: World,
  kindName: string,
  attributes: Readonly<Record<string, Value>>,
): Message[] {
  const kind = world.kinds.get(kindName);
  const components = new Map<string, Message>();
  const body = clone(BodySchema, create(BodySchema, kind?.body));
  body.script = kindName;
  components.set(body.$typeName, body);
  for (const message of kind?.components ?? []) {
    const type = world.types.byName(message.$typeName);
    if (type) components.set(message.$typeName, clone(type.schema, message));
  }
  for (const [name, value] of Object.entries(attributes)) {
    const attribute = world.types.attribute(name);
    if (!attribute) continue;
    const { schema } = attribute.type;
    const message = components.get(schema.typeName) ?? create(schema);
    components.set(schema.typeName, message);
    writeValue(reflect(schema, message), attribute.field, value, world.types.registry);
  }
  return [...components.values()];
}

/** Components with their persistent fields as they are stored; the others stay as they are. */
export function withStored(
  world: World,
  components: readonly Message[],
  stored: { readonly components: ObjectRecord["components"] } | undefined,
): Message[] {
  const result = new Map(components.map((message) => [message.$typeName, message]));
  for (const any of stored?.components ?? []) {
    const known = unpackComponent(world.types, any);
    if (!known) continue;
    const { type, message } = known;
    const base = result.get(message.$typeName) ?? create(type.schema);
    const target = reflect(type.schema, base);
    const source = reflect(type.schema, message);
    for (const { field, rule } of type.attributes) {
      if (!rule.persist) continue;
      target.clear(field);
      if (source.isSet(field)) target.set(field, source.get(field));
    }
    result.set(message.$typeName, base);
  }
  return [...result.values()];
}

/** Room for a newcomer near a spawn; undefined when there is none within {@link SPAWN_SEARCH_TILES}. */
export function findRoom(
  world: World,
  spawn: Spawn | undefined,
  radius: number,
  physical: boolean,
): Place | undefined {
  const at = spawn ?? world.map.spawns.get(START_SPAWN);
  const centre = at?.position ?? { x: world.map.width / 2, y: world.map.height / 2 };
  const spread = at?.radius ?? 0;
  for (let i = 0; spread > 0 && i < SPAWN_TRIES; i++) {
    const x = centre.x + (world.random.next() * 2 - 1) * spread;
    const y = centre.y + (world.random.next() * 2 - 1) * spread;
    if (mayStand(world, undefined, x, y, radius, physical)) return { x, y };
  }
  return nearestRoom(world, centre, radius, physical);
}

/** The nearest free place in rings around another. */
export function nearestRoom(
  world: World,
  centre: Place,
  radius: number,
  physical: boolean,
): Place | undefined {
  for (let ring = 0; ring <= SPAWN_SEARCH_TILES; ring++) {
    for (let dy = -ring; dy <= ring; dy++) {
      for (let dx = -ring; dx <= ring; dx++) {
        if (Math.max(Math.abs(dx), Math.abs(dy)) !== ring) continue;
        const x = centre.x + dx;
        const y = centre.y + dy;
        if (mayStand(world, undefined, x, y, radius, physical)) return { x, y };
      }
    }
  }
  return undefined;
}
