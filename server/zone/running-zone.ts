import { randomInt } from "node:crypto";
import type { Outcome, Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Bus, Lease } from "../bus/bus.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import type { ChatLog } from "./chat-log.ts";
import type { GameWorld } from "./game-world.ts";
import { createLocalEngine } from "./local-engine.ts";
import type { LocalEngineOptions } from "./local-engine.ts";
import { startRemoteEngine } from "./remote-engine.ts";
import { rowKey, rowOfGone, saveKey } from "./rows.ts";
import type { SaveNote } from "./rows.ts";
import { objectKey, placesKey } from "./saver.ts";
import type { Saver } from "./saver.ts";
import { createZoneEditor, replayEdits } from "./zone-edits.ts";
import type { HeardEvent, TickReport, ZoneEngine } from "./zone-engine.ts";
import type { ZoneHandle, ZoneListener } from "./zone-handle.ts";
import type { ZonePlaces } from "./zone-place.ts";
import { zoneStopped } from "./zone-stopped.ts";

/** Runs are numbered from chance, so that what is left of an earlier one is never taken for the present one's. */
const MAX_RUN = 2 ** 32;

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
  /** Where zones are simulated; undefined: in this thread. */
  readonly places?: ZonePlaces | undefined;
  /** Keeps the recording of a zone whose simulation failed. */
  readonly keepRecording: (zone: string, recording: Uint8Array) => void;
  /** Is told how long ticks of zones in this thread took and how late they began, both in milliseconds. */
  readonly onStep?: LocalEngineOptions["onStep"];
  readonly startTimeoutMs?: number;
  readonly now?: () => number;
}

/** A zone that runs for this node. */
export interface RunningZone {
  readonly handle: ZoneHandle;
  readonly map: ZoneEngine["map"];
  /** Entities with which it began. */
  readonly entityCount: number;
  readonly lease: Lease;
  /** The thread that simulates it; empty: this one. */
  readonly thread: string;
  /** What led to its present state. */
  recording(): Recording | undefined | Promise<Recording | undefined>;
  /** Ends it; resolves when what is left to be saved was noted with the saver. */
  stop(): Promise<void>;
}

/** What a zone knows of the others. */
export interface Neighbours {
  /** Whether characters can appear at this spawn of a zone. */
  hasSpawn(zone: string, spawn: string): boolean;
  /** The zone has ended; `saved` resolves when what is left to be saved was noted with the saver. */
  onStopped(saved: Promise<void>): void;
}

/** Starts a zone from the game's map, the stored edits and what is stored of its things. */
export async function openZone(
  options: ZoneHostOptions,
  name: string,
  lease: Lease,
  neighbours: Neighbours,
): Promise<RunningZone> {
  const { world, store, saver, logger, bus, places, now = Date.now } = options;
  // What its last run here left to be written must be in the store before it is read.
  await saver.settled();
  const [edits, objects] = await Promise.all([
    store.listEdits(name),
    store.listObjects(name),
    // The first who come in replace what it says of all others.
    store.settlePlaces(name),
  ]);
  const rules = {
    hasKind: (kind: string) => world.kinds.has(kind),
    hasZone: (zone: string) => world.maps.has(zone),
    attribute: world.types.attribute,
  };
  const base = world.maps.get(name);
  if (!base) throw zoneStopped(name, "it has no map");
  const place = await places?.take();
  // The store may have taken long, and another node may run it by now.
  if (!(await lease.renew())) {
    place?.release();
    throw zoneStopped(name, "another node runs it");
  }
  const map = replayEdits(base, edits, rules, logger);
  const from = { map, objects, seed: `${options.seed}/${name}/${now()}` };
  const { tickRateHz } = world;
  const run = randomInt(1, MAX_RUN);
  const engine = place
    ? await startRemoteEngine({ bus, place, run, rules, tickRateHz, ...from })
    : createLocalEngine({ world, logger, now, from, onStep: options.onStep });
  return { ...runZone(options, engine, lease, neighbours), thread: place?.host ?? "" };
}

/** Joins a simulation with everything that is the same wherever it runs: saving, edits, chat, and those who listen. */
function runZone(
  options: ZoneHostOptions,
  engine: ZoneEngine,
  lease: Lease,
  { hasSpawn, onStopped }: Neighbours,
): Omit<RunningZone, "thread"> {
  const { logger, saver } = options;
  const { name } = engine;
  const listeners = new Set<ZoneListener>();
  const tell = (call: (listener: ZoneListener) => void) => {
    for (const listener of [...listeners]) call(listener);
  };
  const editor = createZoneEditor({
    zone: engine,
    store: options.store,
    apply: engine.apply,
    hasSpawn,
    onChanged(revision, region, commands) {
      for (const { kind } of commands) {
        if (kind.case === "removeObject") saver.forget(objectKey(name, kind.value));
        // A batch under way may still write the object that was there before: this is written behind it.
        if (kind.case === "putObject") noteSave(engine.saveNote(kind.value.name));
      }
      tell((listener) => listener.onMapChanged?.(revision, region));
    },
  });
  let stopped: Promise<void> | undefined;

  function noteSave(save: SaveNote | undefined): void {
    if (save) saver.note(saveKey(name, save), () => engine.row(save.name));
  }

  /** Notes the last state of a character that is not in the zone any more. */
  function noteGone(entity: EntityState): void {
    const row = rowOfGone(options.world.types, name, entity);
    if (row) saver.note(rowKey(row), () => row);
  }

  function noteOutcome(outcome: Outcome): Outcome {
    if (outcome.kind.case === "left") noteGone(outcome.kind.value);
    return outcome;
  }

  function onTick({ saves, moved, events, transfers }: TickReport): void {
    for (const save of saves) noteSave(save);
    if (moved) saver.note(placesKey(name), engine.places);
    logChat(events, options.chatLog);
    for (const { character } of transfers) noteGone(character);
    for (const event of events) tell((listener) => listener.onEvent?.(event));
    for (const transfer of transfers) tell((listener) => listener.onTransfer?.(transfer));
    tell((listener) => listener.onTick?.());
  }

  async function saveRest(): Promise<void> {
    for (const row of await engine.stop()) saver.note(rowKey(row), () => row);
  }

  function stop(): Promise<void> {
    if (stopped) return stopped;
    stopped = saveRest();
    editor.close();
    onStopped(stopped);
    tell((listener) => listener.onStopped?.());
    listeners.clear();
    return stopped;
  }

  const handle: ZoneHandle = {
    name,
    tickRateHz: engine.tickRateHz,
    source: engine.source,
    get mapRevision() {
      return engine.map.revision;
    },
    characterCount: engine.characterCount,
    apply(input) {
      const outcome = engine.apply(input);
      return outcome instanceof Promise ? outcome.then(noteOutcome) : noteOutcome(outcome);
    },
    read: engine.read,
    async durable(entity) {
      const save = engine.saveNote(entity);
      if (!save) return;
      noteSave(save);
      await saver.durable(saveKey(name, save));
    },
    map: () => engine.map.toMessage(),
    edit: editor.edit,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  engine.start({
    onTick,
    onSpeed: (percent) => tell((listener) => listener.onSpeed?.(percent)),
    onFailure({ error, tick, recording }) {
      logger.error({ err: error, zone: name, tick }, "the simulation failed");
      if (recording) options.keepRecording(name, recording);
      void stop();
      void lease.release();
    },
  });
  const { map, entityCount } = engine;
  return { handle, map, entityCount, lease, recording: engine.recording, stop };
}

/** Gives what was said to the history, with those who heard it. */
function logChat(events: readonly HeardEvent[], chatLog: ChatLog): void {
  const heard = new Map<ChatMessage, number[]>();
  for (const { characterId, event } of events) {
    if (event.kind.case !== "chat" || characterId === 0) continue;
    const listeners = heard.get(event.kind.value);
    if (listeners) listeners.push(characterId);
    else heard.set(event.kind.value, [characterId]);
  }
  for (const [message, ids] of heard) chatLog.append(message, ids);
}
