import { create } from "@bufbuild/protobuf";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome, Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { PlacesRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ObjectRecord, PlacesRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { EntityState, ZoneState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { EditCommand, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { startBehaviour } from "./behaviour.ts";
import type { ComponentTypes } from "./components.ts";
import { EntityTable } from "./entity-table.ts";
import { applyInput } from "./inputs.ts";
import type { InputContext } from "./inputs.ts";
import type { Kinds } from "./kind.ts";
import { checkEdit } from "./map-edit.ts";
import type { EditProblem, EditResult, EditRules } from "./map-edit.ts";
import { addObject, kindNameOf } from "./population.ts";
import { stepPortals } from "./portals.ts";
import type { Transfer } from "./portals.ts";
import { createRandom, randomStateOf } from "./random.ts";
import type { RandomState } from "./random.ts";
import { createRecorder } from "./recorder.ts";
import type { Checkpoint } from "./recorder.ts";
import { createRollingHash } from "./rolling-hash.ts";
import type { TakenHash } from "./rolling-hash.ts";
import { createScheduler } from "./scheduler.ts";
import { createSpawner, populate, reconcileSpawns, stepSpawner } from "./spawner.ts";
import {
  actorState,
  adoptActors,
  hashState,
  persistentComponents,
  restoreActors,
  zoneState,
} from "./state.ts";
import { stepWalkers } from "./walking.ts";
import { createWorldMap } from "./world-map.ts";
import type { WorldMap } from "./world-map.ts";
import { placeOf } from "./world.ts";
import type { PersonalEvent, World } from "./world.ts";

/** Ticks a second unless a game says otherwise. */
export const DEFAULT_TICK_RATE_HZ = 10;

/** What a zone is made of. */
export interface ZoneOptions {
  readonly types: ComponentTypes;
  readonly kinds: Kinds;
  /** The zones of the game, for portals. */
  readonly zones: readonly string[];
  /** How it begins. */
  readonly from: NewZone | ZoneState;
  /** Inputs and hashes that the recorder holds before it checkpoints the zone; 0: nothing is recorded. */
  readonly recordedInputs?: number;
  readonly game?: string;
}

/** A zone that begins from its map. */
export interface NewZone {
  readonly map: ZoneMap;
  /** Whatever is stored of its things and creatures. */
  readonly objects?: readonly ObjectRecord[];
  readonly seed: string;
  readonly tickRateHz?: number;
}

/** What one tick brought. Everything else that happened stands in the table's ticks. */
export interface Frame {
  readonly tick: number;
  /** Events for characters, in order. */
  readonly personal: readonly PersonalEvent[];
  /** Names of entities whose stored state changed, but for where they are. */
  readonly saves: readonly string[];
  /** Whether characters moved, came or left. */
  readonly moved: boolean;
  /** Characters that left for another zone. */
  readonly transfers: readonly Transfer[];
  /** Behaviours that threw and were ended. */
  readonly failures: readonly { readonly task: string; readonly error: unknown }[];
}

/** What is stored of an entity. */
export interface StoredEntity {
  readonly kind: EntityKind;
  readonly characterId: number;
  readonly name: string;
  /** In tiles. */
  readonly position: { readonly x: number; readonly y: number; readonly z: number };
  /** Its components with the fields that are stored. Not to be changed. */
  readonly components: EntityState["components"];
}

/** An entity, and what is stored of its components. */
export interface StoredState {
  readonly entity: EntityState;
  /** Its components with the fields that are stored. */
  readonly components: EntityState["components"];
}

/** A zone of the world: pure, deterministic, driven from outside. Time is the tick; there is no other. */
export interface Zone {
  readonly name: string;
  readonly tickRateHz: number;
  /** Ticks stepped. */
  readonly tick: number;
  /** Whether nothing came from outside since the last tick. */
  readonly settled: boolean;
  /** What viewers look at. */
  readonly table: EntityTable;
  readonly map: WorldMap;
  /** Characters in the zone. */
  characterCount(): number;
  /** Carries an input out at once. */
  apply(input: Input): Outcome;
  /** Lets one tick pass. */
  step(): Frame;
  /** Checks commands without carrying them out, and says what would take them back. */
  checkEdit(commands: readonly EditCommand[]): { result: EditResult } | { problems: EditProblem[] };
  /** What an entity is known by; undefined when it is not there. */
  brief(
    name: string,
  ): { readonly id: number; readonly kind: EntityKind; readonly characterId: number } | undefined;
  /** What is stored of an entity; undefined when it is not there. */
  storedOf(name: string): StoredEntity | undefined;
  /** Where the characters are that can be stored. */
  places(): PlacesRecord;
  /** An entity in full; undefined when it is not there. */
  stateOf(name: string): StoredState | undefined;
  /** The whole state, from which a zone begins that goes on in the same way. All behaviours begin anew, here too. */
  checkpoint(): ZoneState;
  /** FNV-1a of the state: equal for equal states. It takes as long as many ticks. */
  hash(): number;
  /** The last hash that was taken a part at a time; undefined: none was since the zone began or was checkpointed. */
  readonly takenHash: TakenHash | undefined;
  /** What was recorded since the last checkpoint but one; undefined when nothing is recorded. */
  recording(): Recording | undefined;
}

/** Creates a zone from a map, or from the state of another one. */
export function createZone(options: ZoneOptions): Zone {
  const failures: { task: string; error: unknown }[] = [];
  const onFailure = (task: string, error: unknown) => failures.push({ task, error });
  let context = isState(options.from) ? resume(options.from) : begin(options.from);
  const recorder = createRecorder({ limit: options.recordedInputs ?? 0, game: options.game ?? "" });

  let settled = false;
  /** The map as it is; undefined once it was edited. */
  let mapMessage: ZoneMap | undefined;
  let rolling = createRollingHash();

  function createContext(world: World): InputContext {
    const scheduler = createScheduler({ onFailure, startTick: world.tick });
    return { world, scheduler, spawner: createSpawner(), rules: rulesOf(options), onFailure };
  }

  function begin(from: NewZone): InputContext {
    const world = createWorld(options, {
      map: createWorldMap(from.map),
      tick: 0,
      // As a state keeps it, or a zone that goes on from one would run at another rate.
      tickRateHz: Math.fround(from.tickRateHz ?? DEFAULT_TICK_RATE_HZ),
      nextEntityId: 1,
      random: randomStateOf(from.seed),
    });
    const created = createContext(world);
    const stored = new Map((from.objects ?? []).map((record) => [record.name, record]));
    for (const object of world.map.objects.values()) {
      addObject(world, object, stored.get(object.name));
    }
    reconcileSpawns(world, created.spawner, true);
    populate(world, created.spawner, (name) => stored.get(name));
    return resume(wholeState(created));
  }

  function resume(state: ZoneState): InputContext {
    if (!state.map) throw new Error("a zone cannot go on from a state without its map");
    const resumed = createContext(
      createWorld(options, { ...state, map: createWorldMap(state.map) }),
    );
    restoreActors(resumed.world, resumed.spawner, state);
    return beginLives(resumed);
  }

  /** A world made anew that goes on as one does which begins from the state of the world before. That one is not changed any more. */
  function renew({ world: before, spawner }: InputContext): InputContext {
    const renewed = createContext(
      createWorld(options, { ...before, random: before.random.state() }),
    );
    const { world } = renewed;
    adoptActors(world, renewed.spawner, before, spawner);
    beginLives(renewed);
    for (const name of before.unsaved) world.unsaved.add(name);
    world.moved = before.moved;
    world.events.push(...before.events);
    return renewed;
  }

  /** All behaviours begin anew. The state is made when it is asked for, since that takes longer than a tick. */
  function checkpoint(): Checkpoint {
    const { world, spawner } = context;
    context = renew(context);
    // Whoever goes on from here begins with a hash that nothing went into.
    rolling = createRollingHash();
    mapMessage ??= world.map.toMessage();
    const map = mapMessage;
    return { tick: world.tick, state: () => ({ ...zoneState(world, spawner), map }) };
  }

  function apply(input: Input): Outcome {
    settled = false;
    recorder.input(context.world.tick, input);
    if (input.kind.case === "edit") mapMessage = undefined;
    if (input.kind.case === "checkpoint") checkpoint();
    return applyInput(context, input);
  }

  function step(): Frame {
    if (recorder.full(context.world.tick)) {
      recorder.restart(checkpoint());
    }
    const { world, scheduler, spawner } = context;
    const tick = world.tick + 1;
    scheduler.run(tick);
    stepWalkers(world);
    const transfers = stepPortals(world);
    stepSpawner(world, spawner, scheduler);
    world.table.follow(tick);
    world.tick = tick;
    settled = true;
    const frame: Frame = {
      tick,
      personal: world.events.splice(0),
      saves: [...world.unsaved],
      moved: world.moved,
      transfers,
      failures: failures.splice(0),
    };
    world.unsaved.clear();
    world.moved = false;
    rolling.step(world, spawner);
    recorder.step(tick, rolling.taken);
    return frame;
  }

  if (recorder.enabled) recorder.restart(checkpoint());
  return {
    name: context.world.zone,
    tickRateHz: context.world.tickRateHz,
    get tick() {
      return context.world.tick;
    },
    get settled() {
      return settled;
    },
    get table() {
      return context.world.table;
    },
    get map() {
      return context.world.map;
    },
    characterCount: () => countCharacters(context.world),
    apply,
    step,
    checkEdit: (commands) => checkEdit(context.world.map, commands, context.rules),
    brief: (name) => context.world.actors.get(name),
    storedOf(name) {
      const { world } = context;
      const actor = world.actors.get(name);
      if (!actor) return undefined;
      const { kind, characterId } = actor;
      const position = { ...placeOf(world, actor), z: 0 };
      const components = persistentComponents(world, actor);
      return { kind, characterId, name: actor.name, position, components };
    },
    places: () => placesIn(context.world),
    stateOf(name) {
      const { world } = context;
      const actor = world.actors.get(name);
      if (!actor) return undefined;
      return { entity: actorState(world, actor), components: persistentComponents(world, actor) };
    },
    checkpoint() {
      const state = wholeState(context);
      apply(create(InputSchema, { kind: { case: "checkpoint", value: {} } }));
      return state;
    },
    hash: () => hashState(context.world, context.spawner),
    get takenHash() {
      return rolling.taken;
    },
    recording: () => recorder.recording(context.world.tick),
  };
}

/** Lets all behaviours begin, in a world that was just made. */
function beginLives(begun: InputContext): InputContext {
  const { world, scheduler } = begun;
  world.unsaved.clear();
  world.moved = false;
  for (const actor of world.actors.values()) {
    startBehaviour(world, scheduler, actor, kindNameOf(world, actor));
  }
  return begun;
}

function wholeState({ world, spawner }: InputContext): ZoneState {
  return { ...zoneState(world, spawner), map: world.map.toMessage() };
}

function isState(from: NewZone | ZoneState): from is ZoneState {
  return "$typeName" in from;
}

function rulesOf(options: ZoneOptions): EditRules {
  return {
    hasKind: (kind) => options.kinds.has(kind),
    hasZone: (zone) => options.zones.includes(zone),
    attribute: (name) => options.types.attribute(name),
  };
}

function createWorld(
  { types, kinds }: ZoneOptions,
  from: {
    map: WorldMap;
    tick: number;
    tickRateHz: number;
    nextEntityId: number;
    random: RandomState;
  },
): World {
  const { map, tick, tickRateHz, nextEntityId } = from;
  return {
    zone: map.zone,
    map,
    table: new EntityTable({ width: map.width, height: map.height, tickRateHz }),
    types,
    kinds,
    random: createRandom(from.random),
    tickRateHz,
    tick,
    nextEntityId,
    actors: new Map(),
    bySlot: [],
    unsaved: new Set(),
    moved: false,
    events: [],
  };
}

function placesIn(world: World): PlacesRecord {
  const places = create(PlacesRecordSchema, { zone: world.zone });
  for (const { characterId, slot } of world.actors.values()) {
    if (characterId === 0) continue;
    places.ids.push(characterId);
    places.xs.push(world.table.xs[slot] as number);
    places.ys.push(world.table.ys[slot] as number);
  }
  return places;
}

function countCharacters(world: World): number {
  let count = 0;
  for (const { kind } of world.actors.values()) if (kind === EntityKind.CHARACTER) count++;
  return count;
}
