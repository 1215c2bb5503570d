import { toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Logger } from "../logger.ts";
import type { Frame, NewZone, StoredState, Zone } from "../sim/zone.ts";
import { createZone } from "../sim/zone.ts";
import type { GameWorld } from "./game-world.ts";
import { rowOf, saveNote } from "./rows.ts";
import type { Row } from "./saver.ts";
import type { EngineFailure, EngineListener, ZoneEngine } from "./zone-engine.ts";
import { createZoneRunner } from "./zone-runner.ts";

/**
 * Inputs that a zone's recording holds before it begins anew, which costs a crowded zone as much as a tick lasts. Mostly the bound in
 * bytes comes first: a Move takes about 30.
 */
export const RECORDED_INPUTS = 250_000;

/** What a simulation in this thread is made of. */
export interface LocalEngineOptions {
  readonly world: Pick<GameWorld, "id" | "types" | "kinds" | "maps" | "tickRateHz">;
  readonly from: Pick<NewZone, "map" | "objects" | "seed">;
  readonly logger: Logger;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  /** Is told how long ticks took and how late they began, both in milliseconds. */
  readonly onStep?: ((zone: string, tookMs: number, lateMs: number) => void) | undefined;
}

/** A simulation in this thread, with its zone. */
export interface LocalEngine extends ZoneEngine {
  readonly zone: Zone;
  apply(input: Input): Outcome;
  read(name: string): StoredState | undefined;
  row(name: string): Row | undefined;
  places(): Row;
  /** What is left to say of a zone that ends badly. */
  lastWords(): Omit<EngineFailure, "error">;
}

/** A zone that is simulated in this thread. Its source is the zone's own table, which shows inputs as soon as they are carried out. */
export function createLocalEngine(options: LocalEngineOptions): LocalEngine {
  const { world, logger, now, onStep } = options;
  const { types, kinds, tickRateHz } = world;
  const zone = createZone({
    types,
    kinds,
    zones: [...world.maps.keys()],
    game: world.id,
    recordedInputs: RECORDED_INPUTS,
    from: { ...options.from, tickRateHz },
  });
  const entityCount = zone.table.count;
  let listener: EngineListener | undefined;
  const runner = createZoneRunner({
    zone,
    logger,
    onFrame,
    onSpeed: (percent) => listener?.onSpeed(percent),
    onStep: onStep && ((tookMs, lateMs) => onStep(zone.name, tookMs, lateMs)),
    onCrash: (error) => listener?.onFailure({ error, ...lastWords() }),
  });

  function lastWords(): Omit<EngineFailure, "error"> {
    const recording = zone.recording();
    const bytes = recording && toBinary(RecordingSchema, recording);
    return { tick: zone.tick, recording: bytes };
  }

  function onFrame(frame: Frame): void {
    for (const { task, error } of frame.failures) {
      logger.warn({ err: error, zone: zone.name, task }, "a behaviour failed and was ended");
    }
    const events = frame.personal.map(({ character, event }) => {
      if (event.kind.case === "chat") stampTime(event.kind.value, now());
      return { character, event, characterId: zone.brief(character)?.characterId ?? 0 };
    });
    const saves = frame.saves.flatMap((name) => saveNote(zone, name) ?? []);
    const { moved, transfers } = frame;
    listener?.onTick({ saves, moved, events, transfers });
  }

  return {
    zone,
    lastWords,
    name: zone.name,
    tickRateHz: zone.tickRateHz,
    source: zone,
    get map() {
      return zone.map;
    },
    entityCount,
    characterCount: zone.characterCount,
    start(to) {
      listener = to;
      runner.start();
    },
    async stop() {
      runner.stop();
      // The zone is still there for the saver to ask.
      return [];
    },
    apply(input) {
      const outcome = runner.apply(input);
      if (outcome.kind.case === "chat") stampTime(outcome.kind.value, now());
      return outcome;
    },
    read: zone.stateOf,
    checkEdit: zone.checkEdit,
    saveNote: (name) => saveNote(zone, name),
    row: (name) => rowOf(zone, name),
    places: () => ({ kind: "places", record: zone.places() }),
    recording: zone.recording,
  };
}

/** Says when something was said, which the simulation does not know. */
function stampTime(message: ChatMessage, nowMs: number): void {
  message.time ??= timestampFromMs(nowMs);
}
