import { create } from "@bufbuild/protobuf";
import { FlagSchema } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type { ClientRelease, Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Region } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { unite } from "../../sim/map-edit.ts";

/** Flags of one receiver that wait for its next answer or message. Flags about the same thing are merged, so their number is bounded by the things there are. */
export interface FlagBox {
  put(flag: Flag): void;
  /** Takes everything out, in the order in which the things came up. */
  take(): Flag[];
  readonly isEmpty: boolean;
}

/** The flag of a changed map. */
export function mapFlag(zone: string, revision: number, region: Region): Flag {
  return create(FlagSchema, { kind: { case: "map", value: { zone, revision, region } } });
}

/** The flag of a new client release. */
export function clientFlag(release: ClientRelease): Flag {
  return create(FlagSchema, { kind: { case: "client", value: { release } } });
}

/** The flag of a character that is in another zone now. */
export function zoneFlag(zone: string): Flag {
  return create(FlagSchema, { kind: { case: "zone", value: { zone } } });
}

/** The flag of a zone whose time runs at another speed, in percent of real time. */
export function slowFlag(percent: number): Flag {
  return create(FlagSchema, { kind: { case: "slow", value: { percent } } });
}

/** The flag of a server that stops. */
export function drainFlag(stopsInMs: number, reason: string): Flag {
  return create(FlagSchema, { kind: { case: "drain", value: { stopsInMs, reason } } });
}

/** The flag of a server that was to stop, and does not. */
export function drainCanceledFlag(): Flag {
  return create(FlagSchema, { kind: { case: "drain", value: { canceled: true } } });
}

/** An empty box. */
export function createFlagBox(): FlagBox {
  return new Box();
}

class Box implements FlagBox {
  /** By topic. Most boxes are always empty. */
  private waiting: Map<string, Flag> | undefined;

  get isEmpty(): boolean {
    return this.waiting === undefined;
  }

  put(added: Flag): void {
    const topic = topicOf(added);
    this.waiting ??= new Map();
    const before = this.waiting.get(topic);
    this.waiting.set(topic, before ? merge(before, added) : added);
  }

  take(): Flag[] {
    if (this.waiting === undefined) return [];
    const flags = [...this.waiting.values()];
    this.waiting = undefined;
    return flags;
  }
}

function topicOf({ kind }: Flag): string {
  switch (kind.case) {
    case "map":
      return `map ${kind.value.zone}`;
    case "client":
      return `client ${kind.value.release?.platform}`;
    default:
      return kind.case ?? "";
  }
}

function merge(before: Flag, added: Flag): Flag {
  if (before.kind.case !== "map" || added.kind.case !== "map") return added;
  const { zone, revision, region } = added.kind.value;
  return mapFlag(zone, revision, unite(before.kind.value.region, region as Region));
}
