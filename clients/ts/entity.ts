import { isMessage } from "@bufbuild/protobuf";
import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Entity, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { typeNameOf } from "./components.ts";
import type { Unpack } from "./components.ts";
import type { Point } from "./value.ts";

/** Something in view. The object stays the same, and up to date, for as long as the entity is in view. */
export interface WorldEntity {
  /** Unique within one run of a zone. */
  readonly id: number;
  readonly name: string;
  readonly kind: EntityKind;
  /** The name of the picture that shows it. */
  readonly visual: string;
  /** Where it was in the newest message, in tiles. A change puts a new object here. */
  readonly position: Point;
  /** In tiles a second. A change puts a new object here. */
  readonly velocity: Point;
  /** By full type name; types that the view was not told of are an `Any`. */
  readonly components: ReadonlyMap<string, Message>;
  /** The component of this type, if the entity has one that this client may see. */
  get<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined;
}

/** What a message changed of an entity. */
export interface EntityChanges {
  position: boolean;
  velocity: boolean;
  /** Full names of component types. */
  components: Set<string>;
}

/** An entity with the hand that changes it. Each function says whether something is different now. */
export interface EntityRecord {
  readonly entity: WorldEntity;
  place(position: Point): boolean;
  turn(velocity: Point): boolean;
  setComponent(any: Any): boolean;
  /** Takes over a newer full form of the same entity. */
  replace(full: Entity, changes: EntityChanges): void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Creates the record of an entity from its full form. */
export function createEntityRecord(
  full: Entity,
  unpack: Unpack,
  onDamaged: () => void,
): EntityRecord {
  const packed = new Map<string, Uint8Array>();
  const components = new Map<string, Message>();
  const entity: Mutable<WorldEntity> = {
    id: full.id,
    name: full.name,
    kind: full.kind,
    visual: full.visual,
    position: toPoint(full.position),
    velocity: toPoint(full.velocity),
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

  const place = (position: Point): boolean => {
    if (samePoint(entity.position, position)) return false;
    entity.position = position;
    return true;
  };
  const turn = (velocity: Point): boolean => {
    if (samePoint(entity.velocity, velocity)) return false;
    entity.velocity = velocity;
    return true;
  };
  const replace = (newer: Entity, changes: EntityChanges): void => {
    entity.visual = newer.visual;
    if (place(toPoint(newer.position))) changes.position = true;
    if (turn(toPoint(newer.velocity))) changes.velocity = true;
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
  return { entity, place, turn, setComponent, replace };
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

function toPoint(vector: Vector | undefined): Point {
  return { x: vector?.x ?? 0, y: vector?.y ?? 0, z: vector?.z ?? 0 };
}

function samePoint(a: Point, b: Point): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
