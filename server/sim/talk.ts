import { create } from "@bufbuild/protobuf";
import { ChatKind, ChatMessageSchema } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { EventSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { actorsWithin, placeOf } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** How far a voice carries, in tiles. */
export const EARSHOT_TILES = 12;

/** Says something to all within earshot or, as a shout, to all in the zone. The listeners come back, the speaker among them. The message has no time: the simulation knows none. */
export function speak(
  world: World,
  speaker: Actor,
  text: string,
  shout: boolean,
): { message: ChatMessage; listeners: Actor[] } {
  const { x, y } = placeOf(world, speaker);
  const listeners = shout ? [...world.actors.values()] : actorsWithin(world, x, y, EARSHOT_TILES);
  const message = create(ChatMessageSchema, {
    kind: shout ? ChatKind.SHOUT : ChatKind.SAY,
    from: speaker.name,
    zone: world.zone,
    text,
    entityId: speaker.id,
  });
  const event = create(EventSchema, { kind: { case: "chat", value: message } });
  for (const { kind, name } of listeners) {
    if (kind === EntityKind.CHARACTER) world.events.push({ character: name, event });
  }
  return { message, listeners };
}
