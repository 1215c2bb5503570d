import { isMessage } from "@bufbuild/protobuf";
import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Entity, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { typeNameOf } from "./components.ts";
import type { Unpack } from "./components.ts";
import { positionAt, samePoint, turned } from "./course.ts";
import type { Course } from "./course.ts";
import type { Point } from "./value.ts";

/** Something in view. The object stays the same, and up to date, for as long as the entity is in view. */
export interface WorldEntity {
  /** Unique within one run of a zone. */
  readonly id: number;
  readonly name: string;
  readonly kind: EntityKind;
  /** The name of the picture that shows it. */
  readonly visual: string;
  /**
   * Where it is at the tick of the newest message, in tiles, right to 1/128; reckoned by its velocity where that
   * message does not tell. A change puts a new object here.
   */
  readonly position: Point;
  /** In tiles a second. It keeps this until there is news of it. A change puts a new object here. */
  readonly velocity: Point;
  /** By full type name; types that the view was not told of are an `Any`. */
  readonly components: ReadonlyMap<string, Message>;
  /** The component of this type, if the entity has one that this client may see. */
  get<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined;
}

/** What a message changed of an entity. */
export interface EntityChanges {
  /** Also of an entity that has merely gone on by its velocity. */
  position: boolean;
  velocity: boolean;
  /** Full names of component types. */
  components: Set<string>;
}

/** The tick of a message, and ticks a second. */
export interface Moment {
  readonly tick: number;
  readonly rateHz: number;
}

/**
 * An entity with the hand that changes it. Functions that answer say whether something is different now.
 * `entity.position` follows with {@link EntityRecord.goOn}, once everything that a message says is known.
 */
export interface EntityRecord {
  readonly entity: WorldEntity;
  /** Puts it where it is at this moment. It keeps its velocity. */
  place(position: Point, at: Moment): void;
  /** Gives it the velocity by which it came here from where it was a tick before. */
  turn(velocity: Point, at: Moment): boolean;
  /** Lets it go on to this moment. */
  goOn(to: Moment): boolean;
  setComponent(any: Any): boolean;
  /** Takes over a newer full form of the same entity; its position is left to {@link EntityRecord.goOn}. */
  replace(full: Entity, tick: number, changes: EntityChanges): void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Creates the record of an entity from its full form, which shows it at a tick. */
export function createEntityRecord(
  full: Entity,
  tick: number,
  unpack: Unpack,
  onDamaged: () => void,
): EntityRecord {
  const packed = new Map<string, Uint8Array>();
  const components = new Map<string, Message>();
  let course = courseOf(full, tick);
  const entity: Mutable<WorldEntity> = {
    id: full.id,
    name: full.name,
    kind: full.kind,
    visual: full.visual,
    position: course.position,
    velocity: course.velocity,
    components,
    get: (schema) => getComponent(components, schema),
  };

  const setComponent = (any: Any): boolean => {
    const type = typeNameOf(any);
    const before = packed.get(type);
    if (before !== undefined && sameBytes(before, any.value)) return false;
    packed.set(type, any.value);
    const message = unpack(any, onDamaged);
    components.set(type, message);
    if (isMessage(message, BodySchema) && message.visual !== "") entity.visual = message.visual;
    return true;
  };
  for (const any of full.components) setComponent(any);

  const steer = (next: Course): boolean => {
    course = next;
    if (samePoint(entity.velocity, next.velocity)) return false;
    entity.velocity = next.velocity;
    return true;
  };
  const goOn = ({ tick: now, rateHz }: Moment): boolean => {
    const position = positionAt(course, now, rateHz);
    if (samePoint(entity.position, position)) return false;
    entity.position = position;
    return true;
  };
  const replace = (newer: Entity, now: number, changes: EntityChanges): void => {
    entity.visual = newer.visual;
    if (steer(courseOf(newer, now))) changes.velocity = true;
    const kept = new Set(newer.components.map(typeNameOf));
    for (const type of packed.keys()) {
      if (kept.has(type)) continue;
      packed.delete(type);
      components.delete(type);
      changes.components.add(type);
    }
    for (const any of newer.components)
      if (setComponent(any)) changes.components.add(typeNameOf(any));
  };
  return {
    entity,
    place: (position, at) => void (course = { ...course, tick: at.tick, position }),
    turn: (velocity, at) => steer(turned(course, velocity, at.tick, at.rateHz)),
    goOn,
    setComponent,
    replace,
  };
}

function getComponent<Desc extends DescMessage>(
  components: Map<string, Message>,
  schema: Desc,
): MessageShape<Desc> | undefined {
  const component = components.get(schema.typeName);
  if (isMessage(component, schema)) return component;
  if (!isMessage(component, AnySchema)) return undefined;
  try {
    const message = anyUnpack(component, schema);
    if (message) components.set(schema.typeName, message);
    return message;
  } catch {
    return undefined; // Damaged bytes; they were counted when they came.
  }
}

function courseOf({ position, velocity }: Entity, tick: number): Course {
  return { tick, position: toPoint(position), velocity: toPoint(velocity) };
}

function toPoint(vector: Vector | undefined): Point {
  return { x: vector?.x ?? 0, y: vector?.y ?? 0, z: vector?.z ?? 0 };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
