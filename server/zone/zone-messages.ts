import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ZoneEventSchema,
  ZoneRow,
  ZoneTick,
} from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import { ZoneRowSchema } from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type { Row } from "./saver.ts";
import type { HeardEvent } from "./zone-engine.ts";

/** Where a host is asked to begin a zone. */
export function startSubject(host: string): string {
  return `host.${host}.start`;
}

/** Where a run of a zone is asked something. */
export function callSubject(zone: string, run: number): string {
  return `zone.${zone}.${run}.call`;
}

/** Where a run of a zone tells what happens. */
export function reportSubject(zone: string, run: number): string {
  return `zone.${zone}.${run}.report`;
}

/** Events with each written once, however many hear it; the order stays for everybody. */
export function packEvents(
  events: readonly HeardEvent[],
): MessageInitShape<typeof ZoneEventSchema>[] {
  const packed: { event: HeardEvent["event"]; hearers: Hearer[] }[] = [];
  for (const { event, character, characterId } of events) {
    const last = packed.at(-1);
    if (last?.event === event) last.hearers.push({ character, characterId });
    else packed.push({ event, hearers: [{ character, characterId }] });
  }
  return packed;
}

interface Hearer {
  readonly character: string;
  readonly characterId: number;
}

/** Takes apart what {@link packEvents} put together: those who heard the same share the event. */
export function unpackEvents({ events }: ZoneTick): HeardEvent[] {
  return events.flatMap(({ event, hearers }) =>
    event ? hearers.map(({ character, characterId }) => ({ character, characterId, event })) : [],
  );
}

/** A row as a message. */
export function packRow({ kind, record }: Row): ZoneRow {
  return create(ZoneRowSchema, { kind: { case: kind, value: record } as ZoneRow["kind"] });
}

/** The row in a message; undefined when there is none. */
export function unpackRow({ kind }: ZoneRow): Row | undefined {
  if (kind.case === "character") return { kind: "character", record: kind.value };
  if (kind.case === "object") return { kind: "object", record: kind.value };
  if (kind.case === "places") return { kind: "places", record: kind.value };
  return undefined;
}
