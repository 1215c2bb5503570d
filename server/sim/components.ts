import {
  clone,
  create,
  createRegistry,
  fromBinary,
  getOption,
  hasOption,
  toBinary,
} from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { AnySchema, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { attribute, Visibility } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { Attribute } from "../../gen/ts/realmwire/v1/options_pb.ts";

/** The classes of viewers, from the one that sees least. What a class sees, the next ones see too. */
export const VIEWER_NEAR = 0;
export const VIEWER_PARTY = 1;
export const VIEWER_OWNER = 2;
export type ViewerClass = typeof VIEWER_NEAR | typeof VIEWER_PARTY | typeof VIEWER_OWNER;
export const VIEWER_CLASSES: readonly ViewerClass[] = [VIEWER_NEAR, VIEWER_PARTY, VIEWER_OWNER];

/** A type of component with the access rules of its fields. */
export interface ComponentType {
  readonly schema: DescMessage;
  readonly attributes: readonly AttributeField[];
  /** Whether a viewer of the class sees any field. */
  readonly seenBy: readonly [boolean, boolean, boolean];
  readonly persists: boolean;
}

/** A field of a component with its access rule. */
export interface AttributeField {
  readonly type: ComponentType;
  readonly field: DescField;
  readonly rule: Attribute;
  /** The least class of viewers that sees it; undefined: none does. */
  readonly seenFrom: ViewerClass | undefined;
}

/** All components of a game, the server's own included. */
export interface ComponentTypes {
  readonly types: readonly ComponentType[];
  readonly registry: Registry;
  /** The type of this full name; undefined for types that the game does not have. */
  byName(typeName: string): ComponentType | undefined;
  /** The attribute of this name, `gold` or `purse.gold`; undefined when there is none or several have the short name. */
  attribute(name: string): AttributeField | undefined;
}

/**
 * Reads the access rules of components from their options. Throws an error that names the field when one
 * has none, or when two components have the same simple name.
 */
export function createComponentTypes(schemas: readonly DescMessage[]): ComponentTypes {
  const all = [BodySchema, PresenceSchema, ...schemas];
  const types = all.map(describe);
  const byName = new Map(types.map((type) => [type.schema.typeName, type]));
  const attributes = new Map<string, AttributeField | undefined>();
  const simpleNames = new Set<string>();
  for (const type of types) {
    const simple = type.schema.name.toLowerCase();
    if (simpleNames.has(simple)) throw new Error(`two components are called ${type.schema.name}`);
    simpleNames.add(simple);
    for (const item of type.attributes) {
      const { name } = item.field;
      attributes.set(name, attributes.has(name) ? undefined : item);
      attributes.set(`${simple}.${name}`, item);
    }
  }
  return {
    types,
    registry: createRegistry(...all),
    byName: (typeName) => byName.get(typeName),
    attribute: (name) => attributes.get(name),
  };
}

function describe(schema: DescMessage): ComponentType {
  const attributes: AttributeField[] = [];
  const seenBy: [boolean, boolean, boolean] = [false, false, false];
  let persists = false;
  const type = { schema, attributes, seenBy, persists };
  for (const field of schema.fields) {
    if (!hasOption(field, attribute)) {
      throw new Error(
        `${schema.typeName}.${field.name} has no option (realmwire.v1.attribute): say who may see and write it`,
      );
    }
    const rule = getOption(field, attribute);
    const seenFrom = leastViewer(rule.visible);
    attributes.push({ type, field, rule, seenFrom });
    persists ||= rule.persist;
    for (const viewer of VIEWER_CLASSES) {
      seenBy[viewer] ||= seenFrom !== undefined && seenFrom <= viewer;
    }
  }
  type.persists = persists;
  return type;
}

function leastViewer(visible: Visibility): ViewerClass | undefined {
  switch (visible) {
    case Visibility.NEAR:
      return VIEWER_NEAR;
    case Visibility.PARTY:
      return VIEWER_PARTY;
    case Visibility.OWNER:
      return VIEWER_OWNER;
    default:
      return undefined;
  }
}

/** What viewers need of a component, be it in a zone or in a mirror of one. */
export interface SeenCell {
  readonly type: Pick<ComponentType, "seenBy">;
  /** For each class of viewers the tick of the last change that it sees. */
  readonly changedTicks: [number, number, number];
  /** For each class the serialized `Any`; in a zone made when first needed after a change. */
  readonly encoded: [Uint8Array | undefined, Uint8Array | undefined, Uint8Array | undefined];
}

/** A component of an entity: its message, when it last changed for whom, and its encoded forms. */
export interface Cell extends SeenCell {
  readonly type: ComponentType;
  message: Message;
  /** The fields that are stored, packed; made when first needed after one of them changed. */
  stored: Any | undefined;
}

/** A cell that changed at this tick. */
export function createCell(type: ComponentType, message: Message, tick: number): Cell {
  return {
    type,
    message,
    stored: undefined,
    changedTicks: [tick, tick, tick],
    encoded: [undefined, undefined, undefined],
  };
}

/** A cell of its own that goes on as this one is. The message is shared: it is never changed in place. */
export function copyCell({ type, message, stored, changedTicks, encoded }: Cell): Cell {
  return { type, message, stored, changedTicks: [...changedTicks], encoded: [...encoded] };
}

/**
 * A message as its bytes say it: numbers rounded to what their fields hold, nothing that is not written. Whoever goes on from a state
 * that was stored has just that. Throws when a field cannot hold its value.
 */
export function asStored(schema: DescMessage, message: Message): Message {
  return fromBinary(schema, toBinary(schema, message));
}

/** The serialized `Any` of a component as a class of viewers sees it; undefined when it sees nothing of it. */
export function encodeFor(cell: SeenCell, viewer: ViewerClass): Uint8Array | undefined {
  if (!cell.type.seenBy[viewer]) return undefined;
  if (isCell(cell)) cell.encoded[viewer] ??= encodeAny(packFor(cell, viewer));
  return cell.encoded[viewer];
}

/** What stands before the slash of a type's address means nothing to readers, so it is left empty: 19 bytes for each component that comes into view. */
function encodeAny({ typeUrl, value }: Any): Uint8Array {
  const typeName = typeUrl.slice(typeUrl.lastIndexOf("/"));
  return toBinary(AnySchema, create(AnySchema, { typeUrl: typeName, value }));
}

function isCell(cell: SeenCell): cell is Cell {
  return "message" in cell;
}

function packFor(cell: Cell, viewer: ViewerClass): Any {
  return packFiltered(cell, ({ seenFrom }) => seenFrom !== undefined && seenFrom <= viewer);
}

/** The component with only the fields that are stored, the same until one of them changes; undefined when none is. */
export function packPersistent(cell: Cell): Any | undefined {
  if (cell.type.persists) cell.stored ??= packFiltered(cell, ({ rule }) => rule.persist);
  return cell.stored;
}

/** The component with all fields. */
export function packWhole(cell: Cell): Any {
  return anyPack(cell.type.schema, cell.message);
}

/** Whole components cut down to the fields that are stored; what the game does not know is left out. */
export function persistentOnly(types: ComponentTypes, components: readonly Any[]): Any[] {
  return components.flatMap((any) => {
    const known = unpackComponent(types, any);
    return (known && packPersistent(createCell(known.type, known.message, 0))) ?? [];
  });
}

function packFiltered(cell: Cell, keep: (attribute: AttributeField) => boolean): Any {
  const { schema, attributes } = cell.type;
  if (attributes.every(keep)) return packWhole(cell);
  const filtered = clone(schema, cell.message);
  delete filtered.$unknown;
  const message = reflect(schema, filtered);
  for (const item of attributes) {
    if (!keep(item)) message.clear(item.field);
  }
  return anyPack(schema, filtered);
}

/** Notes that fields of a component changed at this tick. Whether any of them persists comes back. */
export function touch(cell: Cell, changed: readonly AttributeField[], tick: number): boolean {
  let persists = false;
  for (const { seenFrom, rule } of changed) {
    if (rule.persist) {
      persists = true;
      cell.stored = undefined;
    }
    if (seenFrom === undefined) continue;
    for (const viewer of VIEWER_CLASSES) {
      if (viewer < seenFrom) continue;
      cell.changedTicks[viewer] = tick;
      cell.encoded[viewer] = undefined;
    }
  }
  return persists;
}

/** The message in an `Any`, if it is a component of the game. */
export function unpackComponent(
  types: ComponentTypes,
  any: Any,
): { type: ComponentType; message: Message } | undefined {
  const message = anyUnpack(any, types.registry);
  const type = message && types.byName(message.$typeName);
  return type && message ? { type, message } : undefined;
}
