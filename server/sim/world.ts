import { clone, create, equals } from "@bufbuild/protobuf";
import type { DescMessage, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Body } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Event } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { asStored, createCell, touch } from "./components.ts";
import type { Cell, ComponentTypes } from "./components.ts";
import type { EntityTable } from "./entity-table.ts";
import type { Kinds } from "./kind.ts";
import { MAX_OFFSET_TILES, MAX_RADIUS_TILES, standsFree } from "./movement.ts";
import type { Place } from "./movement.ts";
import type { Random } from "./random.ts";
import type { WorldMap } from "./world-map.ts";

/** Radius and speed of a body that does not say. */
export const DEFAULT_RADIUS_TILES = 0.35;
export const DEFAULT_SPEED_TILES_PER_S = 4;
/** The fastest that anything walks. */
export const MAX_SPEED_TILES_PER_S = 32;

/** What an entity has besides what viewers look at. */
export interface Actor {
  readonly slot: number;
  readonly id: number;
  readonly name: string;
  readonly kind: EntityKind;
  /** The character's id in the store; 0 for things and creatures. */
  readonly characterId: number;
  /** The spawn that made it; empty: none. */
  readonly spawn: string;
  /** From its Body, kept here because every step asks for them. */
  radius: number;
  speed: number;
  physical: boolean;
  walk: WalkState;
  /** How far it may still step by offsets, in tiles. */
  allowance: number;
  /** Ticks in which it came no nearer to where it walks. */
  blockedTicks: number;
  /** The portal that it stands in; empty: none. */
  insidePortal: string;
  /** The sequence of its last Move. */
  sequence: number;
}

/** What an entity is walking to. */
export type WalkState =
  | { readonly kind: "still" }
  | { readonly kind: "direction"; readonly x: number; readonly y: number }
  | { readonly kind: "way"; readonly places: readonly Place[] };

/** Events for one character. */
export interface PersonalEvent {
  readonly character: string;
  readonly event: Event;
}

/**
 * The state of a zone and the few operations by which everything in the simulation changes it. All of
 * it is a pure function of the beginning and the inputs.
 */
export interface World {
  readonly zone: string;
  readonly map: WorldMap;
  readonly table: EntityTable;
  readonly types: ComponentTypes;
  readonly kinds: Kinds;
  readonly random: Random;
  readonly tickRateHz: number;
  /** Ticks stepped. */
  tick: number;
  nextEntityId: number;
  /** The entities by name. */
  readonly actors: Map<string, Actor>;
  /** The entities by slot. */
  readonly bySlot: (Actor | undefined)[];
  /** Names of entities whose stored state changed since the last frame, but for where they are. */
  readonly unsaved: Set<string>;
  /** Whether characters moved, came or left since the last frame. */
  moved: boolean;
  /** Events since the last frame. */
  readonly events: PersonalEvent[];
}

/** The tick that a change made now belongs to: the one that is being stepped, or the next one. */
export function changeTick(world: World): number {
  return world.tick + 1;
}

/** An entity that is to be added. */
export interface NewActor {
  /** The next one that is free, unless given. */
  readonly id?: number;
  readonly name: string;
  readonly kind: EntityKind;
  readonly place: Place;
  readonly characterId?: number;
  readonly spawn?: string;
}

/** Adds an entity. The name must be free. Throws when a component has a value that its field cannot hold. */
export function addActor(
  world: World,
  entity: NewActor & { readonly components: readonly Message[] },
): Actor {
  const cells = entity.components.flatMap((message) => {
    const type = world.types.byName(message.$typeName);
    return type ? [createCell(type, asStored(type.schema, message), changeTick(world))] : [];
  });
  return addWithCells(world, entity, cells);
}

/** Adds an entity with the cells of its components, which are its own from now on. */
export function addWithCells(world: World, entity: NewActor, cells: Cell[]): Actor {
  const id = entity.id ?? world.nextEntityId++;
  const { name, kind } = entity;
  const tick = changeTick(world);
  const slot = world.table.add({ id, name, kind, ...entity.place }, tick);
  const actor: Actor = {
    slot,
    id,
    name,
    kind,
    characterId: entity.characterId ?? 0,
    spawn: entity.spawn ?? "",
    radius: DEFAULT_RADIUS_TILES,
    speed: DEFAULT_SPEED_TILES_PER_S,
    physical: false,
    walk: { kind: "still" },
    allowance: MAX_OFFSET_TILES,
    blockedTicks: 0,
    insidePortal: "",
    sequence: 0,
  };
  world.table.cells[slot] = cells;
  world.actors.set(name, actor);
  world.bySlot[slot] = actor;
  noteMoved(world, actor);
  adoptBody(world, actor);
  return actor;
}

/** Takes an entity out of the world. */
export function removeActor(world: World, actor: Actor): void {
  world.table.remove(actor.slot);
  world.bySlot[actor.slot] = undefined;
  world.actors.delete(actor.name);
  world.unsaved.delete(actor.name);
  noteMoved(world, actor);
}

/** The cell of a component; undefined when the entity has none of that type. */
export function cellOf(world: World, actor: Actor, schema: DescMessage): Cell | undefined {
  return world.table.cells[actor.slot]?.find((cell) => cell.type.schema === schema);
}

/** A component of an entity. It must not be changed in place: see {@link updateComponent}. */
export function component<S extends DescMessage>(
  world: World,
  actor: Actor,
  schema: S,
): MessageShape<S> | undefined {
  return cellOf(world, actor, schema)?.message as MessageShape<S> | undefined;
}

/** Sets fields of a component, which is added when the entity has none of that type. */
export function updateComponent<S extends DescMessage>(
  world: World,
  actor: Actor,
  schema: S,
  fields: MessageInitShape<S>,
): void {
  const present = component(world, actor, schema);
  const next = present ? clone(schema, present) : create(schema);
  const patch = create(schema, fields);
  for (const key of Object.keys(fields) as (keyof typeof patch)[]) {
    if (key !== "$typeName") next[key] = patch[key];
  }
  replaceComponent(world, actor, next);
}

/**
 * Puts a whole component in place of the one of its type. Only fields that differ count as changed. Throws when one cannot hold its
 * value; then nothing is changed.
 */
export function replaceComponent(world: World, actor: Actor, given: Message): void {
  const type = world.types.byName(given.$typeName);
  if (!type) throw new Error(`${given.$typeName} is not a component of the game`);
  const message = asStored(type.schema, given);
  const tick = changeTick(world);
  const cell = cellOf(world, actor, type.schema);
  if (!cell) {
    world.table.cells[actor.slot]?.push(createCell(type, message, tick));
    if (type.persists) world.unsaved.add(actor.name);
  } else {
    const before = reflect(type.schema, cell.message);
    const after = reflect(type.schema, message);
    const changed = type.attributes.filter(({ field }) => !sameField(before, after, field.name));
    if (changed.length === 0) return;
    cell.message = message;
    if (touch(cell, changed, tick)) world.unsaved.add(actor.name);
  }
  world.table.noteChange(actor.slot, tick);
  if (type.schema === BodySchema) adoptBody(world, actor);
}

type Reflected = ReturnType<typeof reflect>;

function sameField(a: Reflected, b: Reflected, name: string): boolean {
  const field = a.desc.fields.find((item) => item.name === name);
  if (!field) return true;
  if (a.isSet(field) !== b.isSet(field)) return false;
  if (field.fieldKind === "scalar" || field.fieldKind === "enum")
    return a.get(field) === b.get(field);
  const only = (message: Reflected) => {
    const part = reflect(message.desc);
    if (message.isSet(field)) part.set(field, message.get(field));
    return part.message;
  };
  return equals(a.desc, only(a), only(b));
}

/** Takes what every step needs from the entity's Body. */
function adoptBody(world: World, actor: Actor): void {
  const body: Body | undefined = component(world, actor, BodySchema);
  const { table } = world;
  table.setVisual(actor.slot, body?.visual ?? "");
  const owner = actor.kind === EntityKind.CHARACTER ? actor.name : (body?.owner ?? "");
  table.own(actor.slot, owner, changeTick(world));
  actor.radius = radiusOf(body);
  actor.speed = Math.min(MAX_SPEED_TILES_PER_S, positiveOr(body?.speed, DEFAULT_SPEED_TILES_PER_S));
  actor.physical = body?.physical ?? false;
}

/** The radius that a body has in the world, in tiles: within bounds, whatever it says. */
export function radiusOf(body: Body | undefined): number {
  return Math.min(MAX_RADIUS_TILES, positiveOr(body?.radius, DEFAULT_RADIUS_TILES));
}

function positiveOr(value: number | undefined, fallback: number): number {
  return value !== undefined && value > 0 ? value : fallback;
}

/**
 * Whether somebody solid other than the actor itself is in a circle. Whom the actor stands in already,
 * because one of them grew or became solid, is in its way only where it would come nearer.
 */
export function isOccupied(
  world: World,
  actor: Actor | undefined,
  x: number,
  y: number,
  radius: number,
): boolean {
  const { table } = world;
  const from = actor && placeOf(world, actor);
  const { slots, count } = table.grid.around(x, y, radius + MAX_RADIUS_TILES);
  for (let i = 0; i < count; i++) {
    const slot = slots[i] as number;
    const other = world.bySlot[slot];
    if (!other?.physical || other === actor) continue;
    const reach = radius + other.radius;
    const away = squaredDistance(table, slot, x, y);
    if (away >= reach * reach) continue;
    if (!from || away <= squaredDistance(table, slot, from.x, from.y)) return true;
  }
  return false;
}

function squaredDistance(table: EntityTable, slot: number, x: number, y: number): number {
  const dx = (table.xs[slot] as number) - x;
  const dy = (table.ys[slot] as number) - y;
  return dx * dx + dy * dy;
}

/** Whether an actor of this radius may stand at a place: no barrier and, for a solid one, nobody solid. */
export function mayStand(
  world: World,
  actor: Actor | undefined,
  x: number,
  y: number,
  radius: number,
  physical: boolean,
): boolean {
  return (
    standsFree(world.map, x, y, radius) && !(physical && isOccupied(world, actor, x, y, radius))
  );
}

/** Moves an entity. */
export function placeActor(world: World, actor: Actor, x: number, y: number): void {
  world.table.place(actor.slot, x, y);
  noteMoved(world, actor);
}

/** Creatures are on the move all the time and begin at their spawns: where they stroll is not kept. */
function noteMoved(world: World, { kind }: Actor): void {
  if (kind === EntityKind.CHARACTER) world.moved = true;
}

/** Where an entity is. */
export function placeOf(world: World, actor: Actor): Place {
  return { x: world.table.xs[actor.slot] as number, y: world.table.ys[actor.slot] as number };
}

/** The actors within a distance of a place, by id. */
export function actorsWithin(world: World, x: number, y: number, distance: number): Actor[] {
  const { table } = world;
  const actors: Actor[] = [];
  const { slots, count } = table.grid.around(x, y, distance);
  for (let i = 0; i < count; i++) {
    const slot = slots[i] as number;
    const actor = world.bySlot[slot];
    if (actor && squaredDistance(table, slot, x, y) <= distance * distance) actors.push(actor);
  }
  return actors.sort((a, b) => a.id - b.id);
}
