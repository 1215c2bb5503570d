import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  StartedZoneSchema,
  StartZoneSchema,
  ZoneAnswerSchema,
  ZoneCallSchema,
  ZoneReportSchema,
} from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type { StartZone, ZoneCall } from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import type { Logger } from "../logger.ts";
import { createRegionFramer } from "../sim/region-frames.ts";
import { createRegionInterest } from "../sim/region-interest.ts";
import { createLocalEngine } from "./local-engine.ts";
import type { LocalEngineOptions } from "./local-engine.ts";
import type { EngineFailure, EngineListener, TickReport } from "./zone-engine.ts";
import { callSubject, packEvents, packRow, reportSubject, startSubject } from "./zone-messages.ts";

/** What a server of zones needs. */
export interface ZoneServerOptions {
  /** Names it on the bus; a token of a subject. */
  readonly host: string;
  readonly bus: Bus;
  readonly world: LocalEngineOptions["world"];
  /** How far characters see, in tiles. */
  readonly viewRadius: number;
  readonly logger: Logger;
  /** Milliseconds since 1970-01-01. */
  readonly now?: () => number;
  /** Is told how long ticks took and how late they began, both in milliseconds. */
  readonly onStep?: LocalEngineOptions["onStep"];
}

/** Simulates zones for whoever asks over the bus. */
export interface ZoneServer {
  start(): void;
  /** Ends all zones at once; nothing is asked what is still to be saved. */
  close(): void;
  /** Tells of all zones that they failed, with what led to it: the thread is about to end. */
  fail(error: unknown): void;
}

/** A server of zones that runs none yet. It meets its gateway at the bus only. */
export function createZoneServer(options: ZoneServerOptions): ZoneServer {
  const { bus } = options;
  const running = new Set<ServedZone>();
  let service: Subscription | undefined;

  async function startZone(bytes: Uint8Array): Promise<Uint8Array> {
    const zone = serveZone(options, fromBinary(StartZoneSchema, bytes), () => running.delete(zone));
    running.add(zone);
    const started = create(StartedZoneSchema, { entities: zone.entityCount });
    return toBinary(StartedZoneSchema, started);
  }

  return {
    start() {
      service = bus.serve(startSubject(options.host), startZone);
    },
    close() {
      service?.close();
      for (const zone of [...running]) zone.close();
    },
    fail(error) {
      for (const zone of running) zone.fail(error);
    },
  };
}

interface ServedZone {
  readonly entityCount: number;
  close(): void;
  fail(error: unknown): void;
}

function serveZone(options: ZoneServerOptions, order: StartZone, onClosed: () => void): ServedZone {
  const { bus, world, logger, now = Date.now, onStep } = options;
  const { run, map, objects, seed } = order;
  if (!map) throw new TypeError("a zone cannot begin without a map");
  const engine = createLocalEngine({ world, logger, now, onStep, from: { map, objects, seed } });
  const { zone } = engine;
  const size = { mapWidth: map.width, mapHeight: map.height };
  const framer = createRegionFramer({ source: zone, zone: zone.name, run, ...size });
  const interest = createRegionInterest({ source: zone, radius: options.viewRadius, ...size });
  /** Names of entities that were told as changed, and whose rows nobody has asked for since. */
  const told = new Set<string>();
  let afresh = false;

  function report(kind: ReportKind): void {
    const bytes = toBinary(ZoneReportSchema, create(ZoneReportSchema, { kind }));
    bus.publish(reportSubject(zone.name, run), bytes);
  }

  function onTick({ saves, moved, events, transfers }: TickReport): void {
    const all = afresh;
    afresh = false;
    const regions = framer.frame(interest.regions(), () => all);
    const news = saves.filter(({ name }) => !told.has(name));
    for (const { name } of news) told.add(name);
    for (const { character } of transfers) told.delete(character.name);
    const { tick } = zone;
    const value = {
      tick,
      regions,
      events: packEvents(events),
      saves: news,
      moved,
      transfers: [...transfers],
    };
    report({ case: "tick", value });
  }

  const listener: EngineListener = {
    onTick,
    onSpeed: (percent) => report({ case: "speedPercent", value: percent }),
    onFailure: tellFailure,
  };

  function tellFailure({ error, tick, recording }: EngineFailure): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    report({ case: "failure", value: { error: text, tick, ...(recording && { recording }) } });
  }

  function carryOut({ kind }: ZoneCall): AnswerKind {
    switch (kind.case) {
      case "input": {
        const outcome = engine.apply(kind.value);
        // If it comes back, its changes are news again.
        if (outcome.kind.case === "left") told.delete(outcome.kind.value.name);
        return { case: "outcome", value: outcome };
      }
      case "read": {
        const state = engine.read(kind.value);
        return state ? { case: "entity", value: { ...state } } : DONE;
      }
      case "row": {
        told.delete(kind.value);
        const row = engine.row(kind.value);
        return row ? { case: "row", value: packRow(row) } : DONE;
      }
      case "record": {
        const recording = zone.recording();
        return recording ? { case: "recording", value: recording } : DONE;
      }
      case "afresh":
        afresh = true;
        return DONE;
      case "stop": {
        close();
        const rows = kind.value.names.flatMap((name) => engine.row(name) ?? []);
        rows.push(engine.places());
        return { case: "rows", value: { rows: rows.map(packRow) } };
      }
      case "places":
        return { case: "row", value: packRow(engine.places()) };
      case undefined:
        throw new TypeError("a call that asks nothing");
    }
  }

  const calls = bus.serve(callSubject(zone.name, run), async (bytes) => {
    const kind = carryOut(fromBinary(ZoneCallSchema, bytes));
    return toBinary(ZoneAnswerSchema, create(ZoneAnswerSchema, { kind }));
  });

  function close(): void {
    calls.close();
    void engine.stop();
    onClosed();
  }

  engine.start(listener);
  return {
    entityCount: engine.entityCount,
    close,
    fail: (error) => tellFailure({ error, ...engine.lastWords() }),
  };
}

type ReportKind = NonNullable<MessageInitShape<typeof ZoneReportSchema>["kind"]>;
type AnswerKind = NonNullable<MessageInitShape<typeof ZoneAnswerSchema>["kind"]>;

const DONE: AnswerKind = { case: "done", value: {} };
