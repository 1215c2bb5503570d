import { create, equals } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Any } from "@bufbuild/protobuf/wkt";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { CharacterRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { CharacterRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  BodySchema,
  EntityKind,
  OnlineStatus,
  PresenceSchema,
} from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role, Writer } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { ValueSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { SetRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Session } from "../account/session.ts";
import { DomainError } from "../errors.ts";
import {
  VIEWER_NEAR,
  VIEWER_OWNER,
  createCell,
  packPersistent,
  packWhole,
  unpackComponent,
} from "../sim/components.ts";
import type { AttributeField, ComponentTypes } from "../sim/components.ts";
import { addValue, readValue, ValueError, writeValue } from "../sim/value.ts";
import { nameKey } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns.ts";
import { characterKey } from "../zone/saver.ts";
import type { Saver } from "../zone/saver.ts";
import type { ZoneHandle } from "../zone/zone-handle.ts";
import { refusalError } from "./players.ts";
import type { Player, Players } from "./players.ts";

/** What a name stands for, with all its components. */
interface Target {
  readonly name: string;
  /** Who owns it: the class of viewers that the caller belongs to depends on it. */
  readonly owner: string;
  readonly zone: string;
  readonly position: { x: number; y: number; z: number } | undefined;
  readonly components: readonly Any[];
  readonly where: { readonly kind: "zone"; readonly zone: ZoneHandle } | { readonly kind: "store"; readonly record: CharacterRecord };
}

/** Reading and changing attributes by name: the rules of `(realmwire.v1.attribute)` for Get and Set. */
export interface Attributes {
  /** Rejects with `NAME_UNKNOWN`, `ATTRIBUTE_UNKNOWN` or `ATTRIBUTE_FORBIDDEN`. */
  get(session: Session, name: string, attributes: readonly string[]): Promise<Record<string, Value>>;
  /** Rejects as `get` does, and with `VALUE_OUT_OF_RANGE`, `INVALID_FIELDS` or `STORE_UNAVAILABLE`. */
  set(session: Session, request: SetRequest): Promise<Value>;
}

/** Attributes of the characters and things of a world. */
export function createAttributes(options: {
  types: ComponentTypes;
  players: Players;
  store: Pick<Store, "findCharacter" | "save">;
  saver: Saver;
  /** By character id: work on characters that are not in the world. */
  turns: Turns<number>;
  viewRadius: number;
}): Attributes {
  const { types, players, store, saver, viewRadius } = options;

  async function find(session: Session, name: string): Promise<Target> {
    const self = await players.enter(session);
    if (name === "" || nameKey(name) === nameKey(self.character.name)) return await liveTarget(self);
    const other = players.find(name);
    if (other) return await liveTarget(other);
    const { zone } = await self.placement();
    const thing = await zoneTarget(zone, name);
    if (thing) return thing;
    const record = await findStored(name);
    if (record) return storedTarget(record);
    throw new DomainError(ErrorReason.NAME_UNKNOWN, `nobody and nothing here is called "${name}"`, {
      metadata: { name },
    });
  }

  async function findStored(name: string): Promise<CharacterRecord | undefined> {
    const record = await store.findCharacter(name);
    if (!record) return undefined;
    // It may just have left, with its last state still on its way to the store.
    await saver.durable(characterKey(record.id));
    return await store.findCharacter(name);
  }

  async function liveTarget(player: Player): Promise<Target> {
    const { zone } = await player.placement();
    const target = await zoneTarget(zone, player.character.name);
    if (target) return target;
    throw new DomainError(ErrorReason.ZONE_STOPPED, "the character just left the zone", { retryDelayMs: 100 });
  }

  async function zoneTarget(zone: ZoneHandle, name: string): Promise<Target | undefined> {
    const state = await zone.read(name);
    if (!state) return undefined;
    const { kind, position, components } = state.entity;
    const body = findComponent(types, components, BodySchema.typeName);
    const owner =
      kind === EntityKind.CHARACTER ? name : String((body && Reflect.get(body, "owner")) ?? "");
    return { name, owner, zone: zone.name, position, components, where: { kind: "zone", zone } };
  }

  function storedTarget(record: CharacterRecord): Target {
    const { name, zone, position } = record;
    const offline = create(PresenceSchema, { online: OnlineStatus.OFFLINE });
    const type = types.byName(PresenceSchema.typeName);
    const presence = type ? [packWhole(createCell(type, offline, 0))] : [];
    const components = [...record.components, ...presence];
    return { name, owner: name, zone, position, components, where: { kind: "store", record } };
  }

  function resolve(target: Target, attribute: string): AttributeField {
    const found = types.attribute(attribute);
    const message = found && findComponent(types, target.components, found.type.schema.typeName);
    if (found && message) return found;
    throw new DomainError(
      ErrorReason.ATTRIBUTE_UNKNOWN,
      found ? `${target.name} has no ${attribute}` : `no component has an attribute "${attribute}", or several have: write component.${attribute}`,
      { metadata: { attribute, name: target.name } },
    );
  }

  function maySee(session: Session, target: Target, { seenFrom }: AttributeField): boolean {
    if (session.role >= Role.ADMIN) return true;
    const viewer = isOwner(session, target) ? VIEWER_OWNER : VIEWER_NEAR;
    return seenFrom !== undefined && seenFrom <= viewer;
  }

  function read(target: Target, { type, field }: AttributeField): Value {
    const message = findComponent(types, target.components, type.schema.typeName);
    return message ? readValue(reflect(type.schema, message), field) : create(ValueSchema);
  }

  /** The attributes that every target has, whatever its components; undefined for other names. */
  async function intrinsic(session: Session, target: Target, name: string): Promise<Value | undefined> {
    if (name === "name") return text(target.name);
    if (name === "zone") return text(target.zone);
    if (name !== "position") return undefined;
    if (!(await seesPlace(session, target))) throw forbidden(target, name);
    const kind = { case: "vectorValue" as const, value: { $typeName: "realmwire.v1.Vector" as const, ...(target.position ?? { x: 0, y: 0, z: 0 }) } };
    return create(ValueSchema, { kind });
  }

  async function seesPlace(session: Session, target: Target): Promise<boolean> {
    if (session.role >= Role.BUILDER || isOwner(session, target)) return true;
    const self = await liveTarget(await players.enter(session));
    if (self.zone !== target.zone || !self.position || !target.position || target.where.kind !== "zone") return false;
    const dx = self.position.x - target.position.x;
    const dy = self.position.y - target.position.y;
    return dx * dx + dy * dy <= viewRadius * viewRadius;
  }

  async function setLive(target: Target, zone: ZoneHandle, attribute: AttributeField, request: SetRequest): Promise<Value> {
    const { type, field, rule } = attribute;
    const order = { name: target.name, component: type.schema.typeName, field: field.number };
    const before = read(target, attribute);
    const outcome = await zone.apply(setInput(order, request.change));
    if (outcome.kind.case !== "value") throw refusalError(outcome);
    const after = outcome.kind.value;
    if (!rule.persist) return after;
    try {
      await zone.durable(target.name);
    } catch (error) {
      await undo(zone, order, request.change, before, after);
      throw error;
    }
    return after;
  }

  /** Takes back what could not be stored: an addition by its opposite; a value by the one before, unless somebody changed it since. */
  async function undo(zone: ZoneHandle, order: SetOrder, change: SetRequest["change"], before: Value, after: Value): Promise<void> {
    if (change.case === "add") {
      await zone.apply(setInput(order, { case: "add", value: negated(change.value) }));
      return;
    }
    const state = await zone.read(order.name);
    const type = types.byName(order.component);
    const message = state && type && findComponent(types, state.entity.components, order.component);
    const field = type?.schema.fields.find(({ number }) => number === order.field);
    if (!message || !type || !field) return;
    const present = readValue(reflect(type.schema, message), field);
    if (sameValue(present, after)) await zone.apply(setInput(order, { case: "value", value: before }));
  }

  /** In turn with the character's entering the world, which reads what this writes. */
  function setStored(record: CharacterRecord, attribute: AttributeField, request: SetRequest): Promise<Value> {
    return options.turns.take(record.id, async () => {
      const player = players.find(record.name);
      if (!player) return await changeStored(record.name, attribute, request);
      const { zone } = await player.placement();
      return await setLive(await liveTarget(player), zone, attribute, request);
    });
  }

  async function changeStored(name: string, { type, field, rule }: AttributeField, request: SetRequest): Promise<Value> {
    const record = await findStored(name);
    const present = record && findComponent(types, record.components, type.schema.typeName);
    if (!record || !present || !rule.persist) {
      throw new DomainError(ErrorReason.NOT_ONLINE, `${name} is not in the world`, { metadata: { name } });
    }
    const message = reflect(type.schema, present);
    try {
      if (request.change.case === "add") addValue(message, field, request.change.value);
      else if (request.change.value) writeValue(message, field, request.change.value, types.registry);
    } catch (error) {
      throw error instanceof ValueError ? valueRefused(error, field.name) : error;
    }
    const changed = packPersistent(createCell(type, present, 0));
    const others = record.components.filter(({ typeUrl }) => typeUrl !== changed?.typeUrl);
    const components = changed ? [...others, changed] : others;
    await store.save({ characters: [create(CharacterRecordSchema, { ...record, components })], objects: [] });
    return readValue(message, field);
  }

  return {
    async get(session, name, attributes) {
      const target = await find(session, name);
      const values: Record<string, Value> = {};
      const wanted = attributes.length > 0 ? attributes : visibleNames(session, target);
      for (const attribute of wanted) {
        const own = await intrinsic(session, target, attribute);
        if (own) {
          values[attribute] = own;
          continue;
        }
        const found = resolve(target, attribute);
        if (!maySee(session, target, found)) throw forbidden(target, attribute);
        values[attribute] = read(target, found);
      }
      return values;
    },
    async set(session, request) {
      const target = await find(session, request.name);
      if (["name", "zone", "position"].includes(request.attribute)) throw forbidden(target, request.attribute);
      const attribute = resolve(target, request.attribute);
      if (!mayWrite(session, target, attribute)) throw forbidden(target, request.attribute);
      if (target.where.kind === "zone") return await setLive(target, target.where.zone, attribute, request);
      return await setStored(target.where.record, attribute, request);
    },
  };

  function visibleNames(session: Session, target: Target): string[] {
    const names = ["name", "zone"];
    for (const type of types.types) {
      if (!findComponent(types, target.components, type.schema.typeName)) continue;
      for (const attribute of type.attributes) {
        if (!maySee(session, target, attribute)) continue;
        const { name } = attribute.field;
        names.push(types.attribute(name) === attribute ? name : `${type.schema.name.toLowerCase()}.${name}`);
      }
    }
    return names;
  }
}

interface SetOrder {
  readonly name: string;
  readonly component: string;
  readonly field: number;
}

function setInput(order: SetOrder, change: SetRequest["change"]) {
  return create(InputSchema, { kind: { case: "set", value: { ...order, change } } });
}

function isOwner(session: Session, target: Target): boolean {
  const own = session.character?.name;
  return own !== undefined && target.owner !== "" && nameKey(own) === nameKey(target.owner);
}

function mayWrite(session: Session, target: Target, { rule }: AttributeField): boolean {
  if (session.role >= Role.ADMIN) return true;
  if (rule.write === Writer.OWNER) return isOwner(session, target);
  return rule.write === Writer.BUILDER && session.role >= Role.BUILDER;
}

function forbidden({ name }: Target, attribute: string): DomainError {
  return new DomainError(ErrorReason.ATTRIBUTE_FORBIDDEN, `${attribute} of ${name} is not for you`, {
    metadata: { attribute, name },
  });
}

/** The error for a value that an attribute cannot take. */
function valueRefused(error: ValueError, attribute: string): DomainError {
  const reason = error.kind === "range" ? ErrorReason.VALUE_OUT_OF_RANGE : ErrorReason.INVALID_FIELDS;
  const violations = [{ field: "value", description: error.message }];
  return new DomainError(reason, `${attribute}: ${error.message}`, { metadata: { attribute }, violations });
}

function findComponent(types: ComponentTypes, components: readonly Any[], typeName: string): Message | undefined {
  const any = components.find(({ typeUrl }) => typeUrl.endsWith(`/${typeName}`));
  return any && unpackComponent(types, any)?.message;
}

function text(value: string): Value {
  return create(ValueSchema, { kind: { case: "stringValue", value } });
}

function negated({ kind }: Value): Value {
  if (kind.case === "intValue") return create(ValueSchema, { kind: { case: kind.case, value: -kind.value } });
  if (kind.case === "doubleValue") return create(ValueSchema, { kind: { case: kind.case, value: -kind.value } });
  throw new Error(`cannot take back an addition of ${kind.case}`);
}

function sameValue(a: Value, b: Value): boolean {
  return equals(ValueSchema, a, b);
}
