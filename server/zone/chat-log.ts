import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ChatRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ChatRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";

/** Messages that are kept for each character. */
export const KEPT_MESSAGES_PER_CHARACTER = 200;
/** Messages that wait for the store at most; beyond it the oldest are lost to the history. */
export const MAX_WAITING_MESSAGES = 2_000;
/** How long a message waits for others. */
export const CHAT_INTERVAL_MS = 1_000;

/** The history of what was heard: written behind, in batches. */
export interface ChatLog {
  start(): void;
  close(): Promise<void>;
  append(message: ChatMessage, heardBy: readonly number[]): void;
  /** Writes what waits; resolves also when the store does not take it, which is then tried again. */
  flush(): Promise<void>;
}

function timeOf({ message }: ChatRecord): number {
  return message?.time ? timestampMs(message.time) : 0;
}

/** A chat log on a store. */
export function createChatLog(options: {
  store: Pick<Store, "appendChat">;
  logger: Logger;
  intervalMs?: number;
}): ChatLog {
  let waiting: ChatRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (waiting.length === 0) return;
    // What is said in a zone comes with its next tick, what is told at once: the time says which was first.
    const batch = waiting.toSorted((a, b) => timeOf(a) - timeOf(b));
    waiting = [];
    try {
      await options.store.appendChat(batch, KEPT_MESSAGES_PER_CHARACTER);
    } catch (error) {
      waiting = [...batch, ...waiting].slice(-MAX_WAITING_MESSAGES);
      options.logger.warn({ err: error, messages: waiting.length }, "could not store the chat");
    }
  }

  const flush = () => (running = running.then(write));
  return {
    start() {
      timer = setInterval(() => void flush(), options.intervalMs ?? CHAT_INTERVAL_MS);
    },
    async close() {
      clearInterval(timer);
      await flush();
    },
    append(message, heardBy) {
      waiting.push(create(ChatRecordSchema, { message, heardBy: [...heardBy] }));
      if (waiting.length > MAX_WAITING_MESSAGES) waiting.shift();
    },
    flush,
  };
}
