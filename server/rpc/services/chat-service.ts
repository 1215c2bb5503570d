import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ChatKind, ChatMessageSchema } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import { ChatService } from "../../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { EventSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DomainError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { ChatLog } from "../../zone/chat-log.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { refusalError } from "../players/world-entry.ts";
import type { Player } from "../players/player.ts";
import type { Players } from "../players/players.ts";
import { requireSession } from "../pipeline/require-session.ts";
import { defineService } from "../service.ts";
import type { Call, ServiceDefinition } from "../service.ts";

const DEFAULT_PAGE_SIZE = 50;
const LIST = "m1";

/** The service with which characters talk. */
export function createChatService(options: {
  players: Players;
  store: Pick<Store, "findCharacter" | "listChat">;
  chatLog: ChatLog;
  /** Milliseconds since 1970-01-01. */
  now: () => number;
}): ServiceDefinition {
  const { players, store, chatLog } = options;

  async function speak(call: Call, text: string, shout: boolean): Promise<ChatMessage> {
    const player = await players.enter(requireSession(call));
    const { name } = player.character;
    const value = { $typeName: "realmwire.internal.v1.SayInput" as const, name, text, shout };
    const outcome = await player.apply({ case: "say", value });
    if (outcome.kind.case !== "chat") throw refusalError(outcome);
    return outcome.kind.value;
  }

  async function findListener(name: string): Promise<Player> {
    const listener = players.find(name);
    if (listener?.online) return listener;
    const metadata = { name };
    if (listener || (await store.findCharacter(name))) {
      throw new DomainError(ErrorReason.NOT_ONLINE, `${name} is not here at present`, { metadata });
    }
    throw new DomainError(ErrorReason.NAME_UNKNOWN, `there is no character "${name}"`, {
      metadata,
    });
  }

  return defineService(ChatService, {
    say: async ({ text }, call) => ({ message: await speak(call, text, false) }),
    shout: async ({ text }, call) => ({ message: await speak(call, text, true) }),
    async tell({ to, text }, call) {
      const speaker = await players.enter(requireSession(call));
      const listener = await findListener(to);
      const message = create(ChatMessageSchema, {
        kind: ChatKind.TELL,
        from: speaker.character.name,
        to: listener.character.name,
        zone: speaker.zoneName,
        text,
        time: timestampFromMs(options.now()),
      });
      const event = create(EventSchema, { kind: { case: "chat", value: message } });
      const hearers = new Set([speaker, listener]);
      for (const hearer of hearers) hearer.push(event);
      chatLog.append(
        message,
        [...hearers].map(({ character }) => character.id),
      );
      return { message };
    },
    async listMessages({ pageSize, pageToken }, call) {
      const { character } = requireSession(call);
      if (!character) {
        throw new DomainError(ErrorReason.NO_CHARACTER, "the account has no character selected");
      }
      await chatLog.flush();
      const size = pageSize || DEFAULT_PAGE_SIZE;
      const before = pageToken === "" ? {} : { beforeId: Number(readPageToken(LIST, pageToken)) };
      const messages = await store.listChat(character.id, { size: size + 1, ...before });
      const page = messages.slice(0, size);
      const last = page.at(-1);
      const more = messages.length > size && last;
      return { messages: page, nextPageToken: more ? writePageToken(LIST, String(last.id)) : "" };
    },
  });
}
