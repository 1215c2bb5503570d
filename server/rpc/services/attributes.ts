import { create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { InputSchema } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { CharacterRecordSchema } from "../../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { ValueSchema, VectorSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { SetRequest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Session } from "../../account/session.ts";
import { DomainError, hasReason } from "../../errors.ts";
import { createCell, packPersistent } from "../../sim/components.ts";
import type { AttributeField, ComponentTypes } from "../../sim/components.ts";
import { addValue, readValue, ValueError, writeValue } from "../../sim/value.ts";
import type { Store } from "../../store/store.ts";
import type { Turns } from "../../turns.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import { forbidden, isOwner, maySee, mayWrite } from "./attribute-rules.ts";
import { findComponent } from "./attribute-targets.ts";
import type { Target, Targets } from "./attribute-targets.ts";
import { createPendingSets } from "./pending-sets.ts";
import type { PendingSets } from "./pending-sets.ts";
import { refusalError } from "../players/world-entry.ts";
import type { Players } from "../players/players.ts";

/** Attributes that everything has, whatever its components. Nobody sets them. */
const INTRINSIC = ["name", "zone", "position", "velocity"] as const;

/** Reading and changing attributes by name: the rules of `(realmwire.v1.attribute)` for Get and Set. */
export interface Attributes {
  /** Rejects with `NAME_UNKNOWN`, `ATTRIBUTE_UNKNOWN` or `ATTRIBUTE_FORBIDDEN`. */
  get(
    session: Session,
    name: string,
    attributes: readonly string[],
  ): Promise<Record<string, Value>>;
  /** Rejects as `get` does, and with `VALUE_OUT_OF_RANGE`, `INVALID_FIELDS`, `NOT_ONLINE` or `STORE_UNAVAILABLE`. */
  set(session: Session, request: SetRequest): Promise<Value>;
}

/** What attributes need. */
export interface AttributesOptions {
  readonly types: ComponentTypes;
  readonly targets: Targets;
  readonly players: Players;
  readonly store: Pick<Store, "save">;
  /** By character id: work on characters that are not in the world. */
  readonly turns: Turns<number>;
  readonly viewRadius: number;
}

/** Attributes of the characters and things of a world. */
export function createAttributes(options: AttributesOptions): Attributes {
  const { types, targets, players } = options;
  const pending = createPendingSets();
  return {
    async get(session, name, attributes) {
      const target = await targets.find(session, name);
      const values: Record<string, Value> = {};
      const wanted =
        attributes.length > 0 ? attributes : await visibleNames(options, session, target);
      for (const attribute of wanted) {
        values[attribute] = await readOne(options, session, target, attribute);
      }
      return values;
    },
    async set(session, request) {
      const { name, attribute: wanted } = request;
      const target = await targets.find(session, name);
      if (isIntrinsic(wanted)) throw forbidden(target, wanted);
      const attribute = resolve(types, target, wanted);
      if (!mayWrite(session, target, attribute)) throw forbidden(target, wanted);
      const { where } = target;
      if (where.kind === "zone") {
        const inZone = (now: Target, zone: ZoneHandle) =>
          setLive(types, pending, now, zone, attribute, request);
        return await inZone(target, where.zone).catch(async (error: unknown) => {
          // It may have gone on to another zone while the change was on its way.
          const player = hasReason(error, ErrorReason.NAME_UNKNOWN) && players.find(target.name);
          if (!player) throw error;
          const { zone } = await player.placement();
          if (zone === where.zone) throw error;
          return await inZone(await targets.live(player), zone);
        });
      }
      const { id } = where.record;
      // In turn with the character's entering the world, which reads what this writes.
      return await options.turns.take(id, () =>
        setStored(options, pending, target.name, attribute, request),
      );
    },
  };
}

function isIntrinsic(name: string): name is (typeof INTRINSIC)[number] {
  return (INTRINSIC as readonly string[]).includes(name);
}

function resolve(types: ComponentTypes, target: Target, attribute: string): AttributeField {
  const found = types.attribute(attribute);
  if (found && findComponent(types, target.components, found.type.schema.typeName)) return found;
  throw new DomainError(
    ErrorReason.ATTRIBUTE_UNKNOWN,
    found
      ? `${target.name} has no ${attribute}`
      : `no component has an attribute "${attribute}"; where two have it, write component.attribute`,
    { metadata: { attribute, name: target.name } },
  );
}

async function readOne(
  options: AttributesOptions,
  session: Session,
  target: Target,
  name: string,
): Promise<Value> {
  if (isIntrinsic(name)) return await readIntrinsic(options, session, target, name);
  const attribute = resolve(options.types, target, name);
  if (!maySee(session, target, attribute)) throw forbidden(target, name);
  return read(options.types, target, attribute);
}

function read(
  types: ComponentTypes,
  { components }: Target,
  { type, field }: AttributeField,
): Value {
  const message = findComponent(types, components, type.schema.typeName);
  return message ? readValue(reflect(type.schema, message), field) : create(ValueSchema);
}

async function readIntrinsic(
  options: AttributesOptions,
  session: Session,
  target: Target,
  name: (typeof INTRINSIC)[number],
): Promise<Value> {
  if (name === "name" || name === "zone") {
    return create(ValueSchema, { kind: { case: "stringValue", value: target[name] } });
  }
  if (!(await seesPlace(options, session, target))) throw forbidden(target, name);
  const value = target[name] ?? create(VectorSchema);
  return create(ValueSchema, { kind: { case: "vectorValue", value } });
}

/** A place is for those who have it in view: Get must not be a radar. */
async function seesPlace(
  { players, targets, viewRadius }: AttributesOptions,
  session: Session,
  target: Target,
): Promise<boolean> {
  if (session.role >= Role.BUILDER || isOwner(session, target)) return true;
  const { zone, position } = await targets.live(await players.enter(session));
  if (target.where.kind !== "zone" || zone !== target.zone) return false;
  if (!position || !target.position) return false;
  const dx = position.x - target.position.x;
  const dy = position.y - target.position.y;
  return dx * dx + dy * dy <= viewRadius * viewRadius;
}

async function visibleNames(
  options: AttributesOptions,
  session: Session,
  target: Target,
): Promise<string[]> {
  const { types } = options;
  const names: string[] = ["name", "zone"];
  if (await seesPlace(options, session, target)) names.push("position", "velocity");
  for (const type of types.types) {
    if (!findComponent(types, target.components, type.schema.typeName)) continue;
    for (const attribute of type.attributes) {
      if (!maySee(session, target, attribute)) continue;
      const { name } = attribute.field;
      const isUnique = types.attribute(name) === attribute;
      names.push(isUnique ? name : `${type.schema.name.toLowerCase()}.${name}`);
    }
  }
  return names;
}

interface SetOrder {
  readonly name: string;
  readonly component: string;
  readonly field: number;
}

function setInput(order: SetOrder, change: SetRequest["change"]): Input {
  return create(InputSchema, { kind: { case: "set", value: { ...order, change } } });
}

/** Changes an attribute in a running zone; what persists is committed before the answer, or taken back. */
async function setLive(
  types: ComponentTypes,
  pending: PendingSets,
  target: Target,
  zone: ZoneHandle,
  attribute: AttributeField,
  { change }: SetRequest,
): Promise<Value> {
  const { type, field, rule } = attribute;
  const order = { name: target.name, component: type.schema.typeName, field: field.number };
  // The target may have been read before somebody else's change; nothing comes between these two.
  const [before, outcome] = await Promise.all([
    readNow(types, zone, target.name, attribute),
    zone.apply(setInput(order, change)),
  ]);
  if (outcome.kind.case !== "value") throw setRefused(outcome, change);
  const after = outcome.kind.value;
  if (!rule.persist) return after;
  const key = JSON.stringify([zone.name, order.name, order.component, order.field]);
  const applied = pending.add(key, change, before ?? after, after);
  try {
    await zone.durable(target.name);
  } catch (error) {
    const present = await readNow(types, zone, target.name, attribute);
    const back = applied.failed(present ?? after);
    if (back && present) await zone.apply(setInput(order, back));
    throw error;
  }
  applied.committed();
  return after;
}

/** The present value of an attribute; undefined when its entity is not in the zone. */
async function readNow(
  types: ComponentTypes,
  zone: ZoneHandle,
  name: string,
  { type, field }: AttributeField,
): Promise<Value | undefined> {
  const { entity } = (await zone.read(name)) ?? {};
  const message = entity && findComponent(types, entity.components, type.schema.typeName);
  return message && readValue(reflect(type.schema, message), field);
}

/** Changes an attribute of a character that is not in the world, unless it came in meanwhile. */
async function setStored(
  { types, targets, players, store }: AttributesOptions,
  pending: PendingSets,
  name: string,
  attribute: AttributeField,
  request: SetRequest,
): Promise<Value> {
  const player = players.find(name);
  if (player) {
    const { zone } = await player.placement();
    return await setLive(types, pending, await targets.live(player), zone, attribute, request);
  }
  const { type, field, rule } = attribute;
  const record = await targets.stored(name);
  const present = record && findComponent(types, record.components, type.schema.typeName);
  if (!present || !rule.persist) {
    throw new DomainError(ErrorReason.NOT_ONLINE, `${name} is not in the world`, {
      metadata: { name },
    });
  }
  const message = reflect(type.schema, present);
  try {
    const { change } = request;
    if (change.case === "add") addValue(message, field, change.value);
    else if (change.value) writeValue(message, field, change.value, types.registry);
  } catch (error) {
    throw error instanceof ValueError ? valueRefused(error, field.name, request.change) : error;
  }
  const changed = packPersistent(createCell(type, present, 0));
  const others = record.components.filter(({ typeUrl }) => typeUrl !== changed?.typeUrl);
  const components = changed ? [...others, changed] : others;
  const character = create(CharacterRecordSchema, { ...record, components });
  await store.save({ characters: [character], objects: [] });
  return readValue(message, field);
}

/** The error for a value that an attribute cannot take. */
function valueRefused(
  error: ValueError,
  attribute: string,
  change: SetRequest["change"],
): DomainError {
  const isRange = error.kind === "range";
  const reason = isRange ? ErrorReason.VALUE_OUT_OF_RANGE : ErrorReason.INVALID_FIELDS;
  return new DomainError(reason, `${attribute}: ${error.message}`, {
    metadata: { attribute },
    violations: [{ field: change.case ?? "change", description: error.message }],
  });
}

/** The error for what a zone refused to set. One that is about the value names the field that it came in. */
function setRefused(outcome: Outcome, change: SetRequest["change"]): DomainError {
  const { reason, message, details } = refusalError(outcome);
  const isAboutValue =
    reason === ErrorReason.INVALID_FIELDS || reason === ErrorReason.VALUE_OUT_OF_RANGE;
  const violations = isAboutValue
    ? [{ field: change.case ?? "change", description: message }]
    : (details.violations ?? []);
  return new DomainError(reason, message, { ...details, violations });
}
