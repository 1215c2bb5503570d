import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ChatKind, ChatMessageSchema } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { EventSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DomainError } from "../../errors.ts";
import type { ChatLog } from "../../zone/chat-log.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";
import type { Players } from "../players/players.ts";

/** Says something to everybody in the world, or in a zone; how many heard it comes back. Throws `ZONE_UNKNOWN`. */
export type Announce = (text: string, zone: string) => number;

/** Creates the announcing. */
export function createAnnounce(options: {
  readonly players: Pick<Players, "list">;
  readonly zones: Pick<ZoneHost, "names">;
  readonly chatLog: Pick<ChatLog, "append">;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): Announce {
  const { players, zones, chatLog, now } = options;
  return (text, zone) => {
    if (zone !== "" && !zones.names.includes(zone)) {
      const metadata = { zone };
      throw new DomainError(ErrorReason.ZONE_UNKNOWN, `there is no zone "${zone}"`, { metadata });
    }
    const hearers = [...players.list()].filter(({ zoneName }) => zone === "" || zoneName === zone);
    if (hearers.length === 0) return 0;
    const kind = ChatKind.ANNOUNCEMENT;
    const time = timestampFromMs(now());
    const message = create(ChatMessageSchema, { kind, zone, text, time });
    const event = create(EventSchema, { kind: { case: "chat", value: message } });
    for (const hearer of hearers) hearer.push(event);
    chatLog.append(
      message,
      hearers.map(({ character }) => character.id),
    );
    return hearers.length;
  };
}
