import { clone, create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { OutcomeSchema, RefusalSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type {
  EditInput,
  Input,
  JoinInput,
  MoveInput,
  Outcome,
  SayInput,
  SetInput,
} from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import {
  BodySchema,
  EntityKind,
  OnlineStatus,
  PresenceSchema,
} from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Body } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { MoveRefusal } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  MoveOutcome,
  MoveRequest,
  MoveResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { startBehaviour, letHear } from "./behaviour.ts";
import { unpackComponent } from "./components.ts";
import type { Place } from "./movement.ts";
import { editMap } from "./map-edit.ts";
import type { EditRules } from "./map-edit.ts";
import { standsFree } from "./movement.ts";
import { addObject, findRoom, kindNameOf, nearestRoom } from "./population.ts";
import type { Scheduler } from "./scheduler.ts";
import { reconcileSpawns } from "./spawner.ts";
import type { Spawner } from "./spawner.ts";
import { actorState } from "./state.ts";
import { speak } from "./talk.ts";
import { addValue, readValue, ValueError, writeValue } from "./value.ts";
import { moveActor } from "./walking.ts";
import {
  addActor,
  changeTick,
  component,
  mayStand,
  placeActor,
  placeOf,
  radiusOf,
  removeActor,
  replaceComponent,
  updateComponent,
} from "./world.ts";
import type { Actor, World } from "./world.ts";

/** What inputs need besides the world. */
export interface InputContext {
  readonly world: World;
  readonly scheduler: Scheduler;
  readonly spawner: Spawner;
  readonly rules: EditRules;
  readonly onFailure: (task: string, error: unknown) => void;
}

/** Carries an input out at once. One that cannot be is refused and changes nothing. */
export function applyInput(context: InputContext, input: Input): Outcome {
  const { kind } = input;
  switch (kind.case) {
    case "join":
      return join(context, kind.value);
    case "leave":
      return withActor(context, kind.value.name, (actor) => leave(context, actor));
    case "move":
      return withActor(context, kind.value.name, (actor) => move(context, actor, kind.value));
    case "set":
      return withActor(context, kind.value.name, (actor) => set(context, actor, kind.value));
    case "say":
      return withActor(context, kind.value.name, (actor) => say(context, actor, kind.value));
    case "edit":
      return edit(context, kind.value);
    case "presence":
      return withActor(context, kind.value.name, (actor) => {
        setPresence(context.world, actor, kind.value.online);
        return done();
      });
    case "checkpoint":
    case undefined:
      return done();
  }
}

function done(): Outcome {
  return create(OutcomeSchema, { kind: { case: "done", value: {} } });
}

function refuse(reason: ErrorReason, message: string, metadata: Record<string, string>): Outcome {
  const value = create(RefusalSchema, { reason, message, metadata });
  return create(OutcomeSchema, { kind: { case: "refusal", value } });
}

function withActor({ world }: InputContext, name: string, act: (actor: Actor) => Outcome): Outcome {
  const actor = world.actors.get(name);
  if (actor) return act(actor);
  return refuse(ErrorReason.NAME_UNKNOWN, `nothing here is called "${name}"`, { name });
}

function join(context: InputContext, { character, spawn }: JoinInput): Outcome {
  const { world } = context;
  const name = character?.name ?? "";
  if (!character || name === "") return refuse(ErrorReason.NAME_UNKNOWN, "nobody joins", { name });
  const present = world.actors.get(name);
  if (present?.kind === EntityKind.CHARACTER) {
    setPresence(world, present, true);
    return create(OutcomeSchema, { kind: { case: "entityId", value: present.id } });
  }
  // A thing that was given the name first makes way: a character's name is its own in the whole world.
  if (present) takeOut(context, present);
  const components = character.components.flatMap((any) => {
    const known = unpackComponent(world.types, any);
    return known ? [clone(known.type.schema, known.message)] : [];
  });
  const place = placeFor(world, character, spawn, components.find(isBody));
  const { characterId } = character;
  const actor = addActor(world, {
    name,
    kind: EntityKind.CHARACTER,
    place,
    components,
    characterId,
  });
  // Who appears inside a portal's region was not led there by a step: only leaving and coming again counts.
  actor.insidePortal = world.map.portalAt(place.x, place.y)?.name ?? "";
  setPresence(world, actor, true);
  world.unsaved.add(name);
  return create(OutcomeSchema, { kind: { case: "entityId", value: actor.id } });
}

/** Where a character appears: at the spawn it is sent to, where it was, or at the start. */
function placeFor(
  world: World,
  character: EntityState,
  spawn: string,
  body: Body | undefined,
): Place {
  const radius = radiusOf(body);
  const physical = body?.physical ?? false;
  const stored = character.position;
  if (spawn === "" && stored) {
    if (mayStand(world, undefined, stored.x, stored.y, radius, physical)) {
      return { x: stored.x, y: stored.y };
    }
    const near = nearestRoom(world, stored, radius, physical);
    if (near) return near;
  }
  const room = findRoom(world, world.map.spawns.get(spawn), radius, physical);
  return room ?? { x: world.map.width / 2, y: world.map.height / 2 };
}

function isBody(message: Message): message is Body {
  return message.$typeName === BodySchema.typeName;
}

/** Takes an entity out; a creature of a spawn appears again after its time. */
function takeOut({ world, spawner }: InputContext, actor: Actor): void {
  removeActor(world, actor);
  if (actor.spawn !== "") reconcileSpawns(world, spawner);
}

function leave(context: InputContext, actor: Actor): Outcome {
  const left = actorState(context.world, actor);
  takeOut(context, actor);
  return create(OutcomeSchema, { kind: { case: "left", value: left } });
}

function setPresence(world: World, actor: Actor, online: boolean): void {
  const status = online ? OnlineStatus.ONLINE : OnlineStatus.OFFLINE;
  updateComponent(world, actor, PresenceSchema, { online: status });
}

/** Makes one move, or several one after the other; the answer then tells of the last, and of each. */
// With literals instead of `create`, which costs several times as much as the rest: every Move passes here.
function move({ world }: InputContext, actor: Actor, { move: request }: MoveInput): Outcome {
  const outcomes = (request?.moves ?? []).map((one) => moveOnce(world, actor, one));
  const last = outcomes.at(-1) ?? moveOnce(world, actor, request);
  const { refusal, position, sequence } = last;
  const moved = refusal === MoveRefusal.UNSPECIFIED;
  const tick = changeTick(world);
  const answer = { moved, refusal, sequence, tick, outcomes, flags: [] };
  const value: MoveResponse = { $typeName: "realmwire.v1.MoveResponse", position, ...answer };
  return { $typeName: "realmwire.internal.v1.Outcome", kind: { case: "move", value } };
}

function moveOnce(
  world: World,
  actor: Actor,
  one: Pick<MoveRequest, "kind" | "sequence"> | undefined,
): MoveOutcome & { position: Vector } {
  const refusal = moveActor(world, actor, one?.kind ?? { case: undefined });
  const sequence = one?.sequence ?? 0;
  if (sequence > 0) actor.sequence = sequence;
  const { x, y } = placeOf(world, actor);
  const position: Vector = { $typeName: "realmwire.v1.Vector", x, y, z: 0 };
  return { $typeName: "realmwire.v1.MoveOutcome", sequence, refusal, position };
}

function set({ world }: InputContext, actor: Actor, input: SetInput): Outcome {
  const type = world.types.byName(input.component);
  const field = type?.schema.fields.find(({ number }) => number === input.field);
  const present = type && component(world, actor, type.schema);
  if (!type || !field || !present) {
    const attribute = field?.name ?? `${input.component}.${input.field}`;
    return refuse(ErrorReason.ATTRIBUTE_UNKNOWN, `${actor.name} has no ${attribute}`, {
      name: actor.name,
      attribute,
    });
  }
  const next = clone(type.schema, present);
  const message = reflect(type.schema, next);
  try {
    if (input.change.case === "add") addValue(message, field, input.change.value);
    else if (input.change.value)
      writeValue(message, field, input.change.value, world.types.registry);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const reason =
      error.kind === "range" ? ErrorReason.VALUE_OUT_OF_RANGE : ErrorReason.INVALID_FIELDS;
    return refuse(reason, `${field.name}: ${error.message}`, { attribute: field.name });
  }
  replaceComponent(world, actor, next);
  if (type.schema === BodySchema) freeTrapped(world, actor);
  return create(OutcomeSchema, { kind: { case: "value", value: readValue(message, field) } });
}

function say(context: InputContext, actor: Actor, { text, shout }: SayInput): Outcome {
  const { world, onFailure } = context;
  const { message, listeners } = speak(world, actor, text, shout);
  letHear(world, actor, text, listeners, (listener) => kindNameOf(world, listener), onFailure);
  return create(OutcomeSchema, { kind: { case: "chat", value: message } });
}

function edit(context: InputContext, { revision, commands }: EditInput): Outcome {
  const { world, rules, scheduler, spawner } = context;
  const edited = editMap(world.map, commands, rules);
  if ("problems" in edited) {
    const [first] = edited.problems;
    return refuse(ErrorReason.EDIT_REFUSED, `${first?.field}: ${first?.description}`, {});
  }
  world.map.revision = revision;
  for (const { kind } of commands) {
    const name = kind.case === "putObject" ? kind.value.name : kind.value;
    if (kind.case !== "putObject" && kind.case !== "removeObject") continue;
    const present = world.actors.get(name as string);
    if (present && present.kind !== EntityKind.CHARACTER) removeActor(world, present);
    if (kind.case !== "putObject") continue;
    const actor = addObject(world, kind.value);
    if (actor) startBehaviour(world, scheduler, actor, kindNameOf(world, actor));
  }
  for (const actor of world.actors.values()) freeTrapped(world, actor);
  reconcileSpawns(world, spawner);
  return done();
}

/** Puts one whom barriers touch, because they or the body changed, onto the nearest free place: nobody walks out of one. */
function freeTrapped(world: World, actor: Actor): void {
  const { x, y } = placeOf(world, actor);
  if (actor.kind === EntityKind.OBJECT || standsFree(world.map, x, y, actor.radius)) return;
  const room = nearestRoom(world, { x, y }, actor.radius, actor.physical);
  if (room) placeActor(world, actor, room.x, room.y);
}
