import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { OutcomeSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { ObjectRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { EntityStateSchema } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import {
  StartedZoneSchema,
  StartZoneSchema,
  ZoneAnswerSchema,
  ZoneCallSchema,
  ZoneReportSchema,
} from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type {
  ZoneAnswer,
  ZoneReport,
  ZoneTick,
} from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { BusError } from "../bus/bus.ts";
import type { Bus } from "../bus/bus.ts";
import { checkEdit, editMap } from "../sim/map-edit.ts";
import type { EditRules } from "../sim/map-edit.ts";
import { createWorldMap } from "../sim/world-map.ts";
import { createReportedMirror } from "./reported-mirror.ts";
import type { SaveNote } from "./rows.ts";
import type { EngineFailure, EngineListener, ZoneEngine } from "./zone-engine.ts";
import {
  callSubject,
  reportSubject,
  startSubject,
  unpackEvents,
  unpackRow,
} from "./zone-messages.ts";
import type { ZonePlace } from "./zone-place.ts";
import { zoneStopped } from "./zone-stopped.ts";

/**
 * How long a zone may take to answer, in milliseconds. A place that says nothing for less is given up before, with all its
 * zones, so this is for what should not happen.
 */
export const ZONE_CALL_TIMEOUT_MS = 30_000;

/** What a simulation elsewhere is made of. */
export interface RemoteEngineOptions {
  readonly bus: Bus;
  /** Where it runs; given back when it ends. */
  readonly place: ZonePlace;
  /** Another number than that of any run of the zone before. Not 0. */
  readonly run: number;
  readonly map: ZoneMap;
  readonly objects: readonly ObjectRecord[];
  readonly seed: string;
  readonly rules: EditRules;
  readonly tickRateHz: number;
}

/**
 * Begins a zone at another place, and shows it by a mirror, which shows whole ticks only. The map is kept here too: only
 * edits change it, and those come from here. Rejects with `ZONE_STOPPED` when the place is lost meanwhile.
 */
export async function startRemoteEngine(options: RemoteEngineOptions): Promise<ZoneEngine> {
  const { bus, place, run, map: start, rules, seed } = options;
  const map = createWorldMap(start);
  const name = map.zone;
  const tickRateHz = Math.fround(options.tickRateHz);
  const size = { width: map.width, height: map.height, tickRateHz };
  const { mirror, takeOver: takeRegions } = createReportedMirror(size);
  /** Characters in the zone by name, with their ids in the store. */
  const characters = new Map<string, number>();
  /** Entities that are to be saved and whose rows were not asked for yet. */
  const noted = new Set<string>();
  let tick = 0;
  let listener: EngineListener | undefined;
  let over: string | undefined;
  let failed = false;
  let stopping: ReturnType<ZoneEngine["stop"]> | undefined;

  const reports = bus.subscribe(reportSubject(name, run), (bytes) => {
    hear(fromBinary(ZoneReportSchema, bytes));
  });
  const forgetPlace = place.onLost(() => {
    end("its place was lost");
    const error = new Error(`the place that zone "${name}" ran on was lost`);
    fail({ error, tick, recording: undefined });
  });

  /** Tells once that it has ended: a thread that dies may have told before what led to it. */
  function fail(failure: EngineFailure): void {
    if (failed) return;
    failed = true;
    listener?.onFailure(failure);
  }

  function end(why: string): void {
    if (over !== undefined) return;
    over = why;
    reports.close();
    forgetPlace();
    place.release();
  }

  async function request(subject: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (over !== undefined) throw zoneStopped(name, over);
    try {
      return await bus.request(subject, bytes, { timeoutMs: ZONE_CALL_TIMEOUT_MS });
    } catch (error) {
      if (over !== undefined) throw zoneStopped(name, over);
      if (!(error instanceof BusError) || error.kind === "failed") throw error;
      throw zoneStopped(name, "its place does not answer");
    }
  }

  async function call(kind: CallKind): Promise<ZoneAnswer["kind"]> {
    const bytes = toBinary(ZoneCallSchema, create(ZoneCallSchema, { kind }));
    const answer = await request(callSubject(name, run), bytes);
    return fromBinary(ZoneAnswerSchema, answer).kind;
  }

  function hear({ kind }: ZoneReport): void {
    if (kind.case === "tick") takeOver(kind.value);
    else if (kind.case === "speedPercent") listener?.onSpeed(kind.value);
    else if (kind.case === "failure") {
      const { error, tick: last, recording } = kind.value;
      const bytes = recording.length > 0 ? recording : undefined;
      fail({ error: new Error(error), tick: last, recording: bytes });
    }
  }

  function takeOver(report: ZoneTick): void {
    tick = report.tick;
    const isWhole = takeRegions(report.regions);
    if (!isWhole) call({ case: "afresh", value: {} }).catch(() => {});
    const { saves, moved } = report;
    for (const save of saves) noted.add(save.name);
    const transfers = report.transfers.map(({ character, zone, spawn }) => {
      const state = character ?? create(EntityStateSchema);
      characters.delete(state.name);
      return { character: state, zone, spawn };
    });
    listener?.onTick({ saves, moved, events: unpackEvents(report), transfers });
  }

  async function apply(input: Input): Promise<Outcome> {
    const { kind } = input;
    const answer = await call({ case: "input", value: input });
    const outcome = answer.case === "outcome" ? answer.value : create(OutcomeSchema);
    if (kind.case === "join" && outcome.kind.case === "entityId") {
      const { character } = kind.value;
      if (character) characters.set(character.name, character.characterId);
    } else if (outcome.kind.case === "left") {
      characters.delete(outcome.kind.value.name);
    } else if (kind.case === "edit" && outcome.kind.case === "done") {
      editMap(map, kind.value.commands, rules);
      map.revision = kind.value.revision;
    }
    return outcome;
  }

  function saveNote(entity: string): SaveNote {
    noted.add(entity);
    return { name: entity, characterId: characters.get(entity) ?? 0 };
  }

  async function stop() {
    if (over !== undefined) return [];
    const asked = call({ case: "stop", value: { names: [...noted] } });
    reports.close();
    try {
      const answer = await asked;
      if (answer.case !== "rows") return [];
      return answer.value.rows.flatMap((row) => unpackRow(row) ?? []);
    } catch {
      // Lost meanwhile: nobody knows any more.
      return [];
    } finally {
      end("it was stopped");
    }
  }

  const order = create(StartZoneSchema, { run, map: start, objects: [...options.objects], seed });
  let entityCount: number;
  try {
    const started = await request(startSubject(place.host), toBinary(StartZoneSchema, order));
    entityCount = fromBinary(StartedZoneSchema, started).entities;
  } catch (error) {
    end("it could not be started");
    throw error;
  }
  return {
    name,
    tickRateHz,
    source: mirror,
    map,
    entityCount,
    characterCount: () => characters.size,
    start(to) {
      listener = to;
    },
    stop: () => (stopping ??= stop()),
    apply,
    async read(entity) {
      const answer = await call({ case: "read", value: entity });
      if (answer.case !== "entity" || !answer.value.entity) return undefined;
      return { entity: answer.value.entity, components: answer.value.components };
    },
    checkEdit: (commands) => checkEdit(map, commands, rules),
    saveNote,
    async row(entity) {
      noted.delete(entity);
      const answer = await call({ case: "row", value: entity });
      return answer.case === "row" ? unpackRow(answer.value) : undefined;
    },
    async places() {
      const answer = await call({ case: "places", value: {} });
      const row = answer.case === "row" ? unpackRow(answer.value) : undefined;
      if (!row) throw new Error(`zone "${name}" does not say where its characters are`);
      return row;
    },
    async recording() {
      const answer = await call({ case: "record", value: {} });
      return answer.case === "recording" ? answer.value : undefined;
    },
  };
}

type CallKind = NonNullable<MessageInitShape<typeof ZoneCallSchema>["kind"]>;
