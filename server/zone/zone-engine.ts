import type { Input, Outcome, Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { EditCommand } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { EditProblem, EditResult } from "../sim/map-edit.ts";
import type { Transfer } from "../sim/portals.ts";
import type { ViewSource } from "../sim/sight.ts";
import type { WorldMap } from "../sim/world-map.ts";
import type { PersonalEvent } from "../sim/world.ts";
import type { StoredState } from "../sim/zone.ts";
import type { SaveNote } from "./rows.ts";
import type { Row } from "./saver.ts";

/** An event for a character. */
export interface HeardEvent extends PersonalEvent {
  /** The character's id in the store; 0: it has none. */
  readonly characterId: number;
}

/** What one tick brought, besides what the source shows. */
export interface TickReport {
  /** Entities whose stored state changed, but for where they are. */
  readonly saves: readonly SaveNote[];
  /** Whether characters moved, came or left. */
  readonly moved: boolean;
  /** In the order in which they happened. */
  readonly events: readonly HeardEvent[];
  /** Characters that left for another zone. */
  readonly transfers: readonly Transfer[];
}

/** Why a simulation ended by itself. */
export interface EngineFailure {
  readonly error: unknown;
  /** The last tick that is known of. */
  readonly tick: number;
  /** A serialized `Recording` of what led to it; undefined: there is none. */
  readonly recording: Uint8Array | undefined;
}

/** What a simulation tells. */
export interface EngineListener {
  /** A tick has passed, and the source shows it. */
  onTick(report: TickReport): void;
  /** The speed of time changed, in percent of real time. */
  onSpeed(percent: number): void;
  /** It has ended, and not by order. */
  onFailure(failure: EngineFailure): void;
}

/**
 * The simulation of a zone with its clock: in this thread, or elsewhere. Whatever answers with a promise rejects with
 * `ZONE_STOPPED` once the simulation has ended. Inputs and questions are carried out in the order in which they were asked.
 */
export interface ZoneEngine {
  readonly name: string;
  readonly tickRateHz: number;
  /** What viewers look into. */
  readonly source: ViewSource;
  /** The present map. Not to be changed but by an `edit` input. */
  readonly map: WorldMap;
  /** Entities with which it began. */
  readonly entityCount: number;
  characterCount(): number;
  /** Lets time run. */
  start(listener: EngineListener): void;
  /** Ends it. What comes back is still to be saved. Calling it twice does no harm. */
  stop(): Promise<readonly Row[]>;
  apply(input: Input): Outcome | Promise<Outcome>;
  /** An entity in full; undefined when it is not there. */
  read(name: string): StoredState | undefined | Promise<StoredState | undefined>;
  /** Checks commands without carrying them out, and says what would take them back. */
  checkEdit(commands: readonly EditCommand[]): { result: EditResult } | { problems: EditProblem[] };
  /** What an entity is saved under; undefined when it is not in the zone. */
  saveNote(name: string): SaveNote | undefined;
  /** The row of an entity as it is now; undefined when it is not in the zone. */
  row(name: string): Row | undefined | Promise<Row | undefined>;
  /** Where the characters are now that can be stored. */
  places(): Row | Promise<Row>;
  /** What led to the present state; undefined when nothing is recorded. */
  recording(): Recording | undefined | Promise<Recording | undefined>;
}
