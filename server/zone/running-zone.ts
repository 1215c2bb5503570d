import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import {
  CharacterRecordSchema,
  ObjectRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Bus, Lease } from "../bus/bus.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { persistentOnly } from "../sim/components.ts";
import { createZone } from "../sim/zone.ts";
import type { Frame, Zone } from "../sim/zone.ts";
import type { Store } from "../store/store.ts";
import type { ChatLog } from "./chat-log.ts";
import type { GameWorld } from "./game-world.ts";
import { characterKey, objectKey } from "./saver.ts";
import type { Row, Saver } from "./saver.ts";
import { createZoneEditor, replayEdits } from "./zone-edits.ts";
import type { ZoneHandle, ZoneListener } from "./zone-handle.ts";
import { createZoneRunner } from "./zone-runner.ts";

/** Inputs that a zone's recording holds before it begins anew. */
export const RECORDED_INPUTS = 20_000;

/** What a host needs. */
export interface ZoneHostOptions {
  readonly world: GameWorld;
  readonly store: Store;
  readonly bus: Bus;
  readonly saver: Saver;
  readonly chatLog: ChatLog;
  readonly logger: Logger;
  /** Names this node in leases. */
  readonly node: string;
  /** Chance in zones comes from this and the zone's name. */
  readonly seed: string;
  /** Keeps the recording of a zone whose simulation failed. */
  readonly keepRecording: (zone: string, recording: Uint8Array) => void;
  readonly startTimeoutMs?: number;
  readonly now?: () => number;
}

/** A zone that runs on this node. */
export interface RunningZone {
  readonly handle: ZoneHandle;
  readonly zone: Zone;
  readonly lease: Lease;
  stop(): void;
}

/** What a zone knows of the others. */
export interface Neighbours {
  /** Whether characters can appear at this spawn of a zone. */
  hasSpawn(zone: string, spawn: string): boolean;
  /** The zone has ended. */
  onStopped(): void;
}

/** The error of a zone that does not run, or no longer. */
export function zoneStopped(zone: string, why: string): DomainError {
  return new DomainError(ErrorReason.ZONE_STOPPED, `zone "${zone}" does not run: ${why}`, {
    metadata: { zone },
    retryDelayMs: 1_000,
  });
}

/** Starts a zone from the game's map, the stored edits and what is stored of its things. */
export async function openZone(
  options: ZoneHostOptions,
  name: string,
  lease: Lease,
  neighbours: Neighbours,
): Promise<RunningZone> {
  const { world, store, saver, logger } = options;
  // What its last run here left to be written must be in the store before it is read.
  await saver.allDurable();
  const [edits, objects] = await Promise.all([store.listEdits(name), store.listObjects(name)]);
  const zoneNames = [...world.maps.keys()];
  const rules = {
    hasKind: (kind: string) => world.kinds.has(kind),
    hasZone: (zone: string) => world.maps.has(zone),
    attribute: world.types.attribute,
  };
  const base = world.maps.get(name);
  if (!base) throw zoneStopped(name, "it has no map");
  // The store may have taken long, and another node may run it by now.
  if (!(await lease.renew())) throw zoneStopped(name, "another node runs it");
  const map = replayEdits(base, edits, rules, logger);
  const now = options.now ?? Date.now;
  const { types, kinds, tickRateHz } = world;
  const seed = `${options.seed}/${name}/${now()}`;
  const zone = createZone({
    types,
    kinds,
    zones: zoneNames,
    game: world.id,
    recordedInputs: RECORDED_INPUTS,
    from: { map, objects, seed, tickRateHz },
  });
  return runZone(options, zone, lease, neighbours);
}

function runZone(
  options: ZoneHostOptions,
  zone: Zone,
  lease: Lease,
  { hasSpawn, onStopped }: Neighbours,
): RunningZone {
  const { logger, saver, now = Date.now } = options;
  const listeners = new Set<ZoneListener>();
  const tell = (call: (listener: ZoneListener) => void) => {
    for (const listener of [...listeners]) call(listener);
  };
  const runner = createZoneRunner({
    zone,
    logger,
    onFrame,
    onSpeed: (percent) => tell((listener) => listener.onSpeed?.(percent)),
    onCrash(error) {
      logger.error({ err: error, zone: zone.name, tick: zone.tick }, "the simulation failed");
      const recording = zone.recording();
      if (recording) options.keepRecording(zone.name, toBinary(RecordingSchema, recording));
      stop();
      void lease.release();
    },
  });
  const editor = createZoneEditor({
    zone,
    store: options.store,
    apply: runner.apply,
    hasSpawn,
    onChanged(revision, region, commands) {
      for (const { kind } of commands) {
        if (kind.case === "removeObject") saver.forget(objectKey(zone.name, kind.value));
        // A batch under way may still write the object that was there before: this is written behind it.
        if (kind.case === "putObject") noteSaves(zone, [kind.value.name], saver);
      }
      tell((listener) => listener.onMapChanged?.(revision, region));
    },
  });

  function onFrame(frame: Frame): void {
    for (const { task, error } of frame.failures) {
      logger.warn({ err: error, zone: zone.name, task }, "a behaviour failed and was ended");
    }
    noteSaves(zone, frame.saves, saver);
    for (const { event } of frame.personal) {
      if (event.kind.case === "chat") stampTime(event.kind.value, now());
    }
    logChat(zone, frame, options.chatLog);
    for (const { character } of frame.transfers) noteGone(options, zone.name, character);
    for (const event of frame.personal) tell((listener) => listener.onEvent?.(event));
    for (const transfer of frame.transfers) tell((listener) => listener.onTransfer?.(transfer));
    tell((listener) => listener.onTick?.());
  }

  function stop(): void {
    runner.stop();
    editor.close();
    onStopped();
    tell((listener) => listener.onStopped?.());
    listeners.clear();
  }

  const handle: ZoneHandle = {
    name: zone.name,
    tickRateHz: zone.tickRateHz,
    source: zone,
    get mapRevision() {
      return zone.map.revision;
    },
    characterCount: zone.characterCount,
    apply(input) {
      const outcome = runner.apply(input);
      if (outcome.kind.case === "chat") stampTime(outcome.kind.value, now());
      if (outcome.kind.case === "left") noteGone(options, zone.name, outcome.kind.value);
      return outcome;
    },
    read: zone.stateOf,
    async durable(name) {
      const row = rowOf(zone, name);
      if (!row) return;
      saver.note(row.key, row.make);
      await saver.durable(row.key);
    },
    map: () => zone.map.toMessage(),
    edit: editor.edit,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  runner.start();
  return { handle, zone, lease, stop };
}

function noteSaves(zone: Zone, names: readonly string[], saver: Saver): void {
  for (const name of names) {
    const row = rowOf(zone, name);
    if (row) saver.note(row.key, row.make);
  }
}

/** The stored row of an entity; undefined when it is not in the zone. The row is made from the state at the time it is asked for. */
function rowOf(zone: Zone, name: string): { key: string; make: () => Row | undefined } | undefined {
  const brief = zone.brief(name);
  if (!brief) return undefined;
  if (brief.kind === EntityKind.CHARACTER) {
    return { key: characterKey(brief.characterId), make: () => characterRow(zone, name) };
  }
  return { key: objectKey(zone.name, name), make: () => objectRow(zone, name) };
}

function characterRow(zone: Zone, name: string): Row | undefined {
  const state = zone.stateOf(name);
  return state && characterRowOf(zone.name, state.entity, state.components);
}

function characterRowOf(zone: string, entity: EntityState, components: Any[]): Row {
  const { characterId: id, name, position } = entity;
  const row = { id, name, zone, components };
  const record = create(CharacterRecordSchema, position ? { ...row, position } : row);
  return { kind: "character", record };
}

/** Notes the last state of a character that is not in the zone any more. */
function noteGone({ saver, world }: ZoneHostOptions, zone: string, entity: EntityState): void {
  if (entity.characterId === 0) return;
  const row = characterRowOf(zone, entity, persistentOnly(world.types, entity.components));
  saver.note(characterKey(entity.characterId), () => row);
}

function objectRow(zone: Zone, name: string): Row | undefined {
  const state = zone.stateOf(name);
  if (!state) return undefined;
  const { components, entity } = state;
  const row = { zone: zone.name, name, components };
  const { position } = entity;
  const record = create(ObjectRecordSchema, position ? { ...row, position } : row);
  return { kind: "object", record };
}

/** Says when something was said, which the simulation does not know. */
function stampTime(message: ChatMessage, nowMs: number): void {
  message.time ??= timestampFromMs(nowMs);
}

/** Gives what was said to the history, with those who heard it. */
function logChat(zone: Zone, frame: Frame, chatLog: ChatLog): void {
  const heard = new Map<ChatMessage, number[]>();
  for (const { character, event } of frame.personal) {
    if (event.kind.case !== "chat") continue;
    const id = zone.brief(character)?.characterId ?? 0;
    if (id === 0) continue;
    const listeners = heard.get(event.kind.value);
    if (listeners) listeners.push(id);
    else heard.set(event.kind.value, [id]);
  }
  for (const [message, ids] of heard) chatLog.append(message, ids);
}
