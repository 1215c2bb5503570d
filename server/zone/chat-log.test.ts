import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import type { ChatRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ChatMessageSchema } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { CHAT_INTERVAL_MS, createChatLog, KEPT_MESSAGES_PER_CHARACTER } from "./chat-log.ts";
import { MAX_WAITING_MESSAGES } from "./chat-log.ts";

/** A store that can be away. */
function setUp() {
  const stored: ChatRecord[] = [];
  const state = { isAway: false };
  const { logger, lines } = createMemoryLog();
  const log = createChatLog({
    logger,
    store: {
      async appendChat(records, keep) {
        if (state.isAway) throw new Error("away");
        expect(keep).toBe(KEPT_MESSAGES_PER_CHARACTER);
        stored.push(...records);
        return records.map((_, i) => i);
      },
    },
  });
  return { log, stored, state, lines };
}

const said = (text: string) => create(ChatMessageSchema, { text });
const texts = (records: readonly ChatRecord[]) => records.map(({ message }) => message?.text);

test("messages are written in batches, in order, with those who heard them", async () => {
  vi.useFakeTimers();
  try {
    const { log, stored } = setUp();
    log.start();
    log.append(said("one"), [1, 2]);
    log.append(said("two"), [2]);
    await vi.advanceTimersByTimeAsync(CHAT_INTERVAL_MS - 1);
    expect(stored).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(stored.map(({ message, heardBy }) => [message?.text, heardBy])).toEqual([
      ["one", [1, 2]],
      ["two", [2]],
    ]);
    log.append(said("three"), [1]);
    await log.close();
    expect(texts(stored)).toEqual(["one", "two", "three"]);
  } finally {
    vi.useRealTimers();
  }
});

test("when the store is away nothing is lost or doubled, and talk goes on", async () => {
  const { log, stored, state, lines } = setUp();
  state.isAway = true;
  log.append(said("one"), [1]);
  await log.flush();
  expect(lines).toMatchObject([{ level: "warn", fields: { messages: 1 } }]);
  log.append(said("two"), [1]);
  await Promise.all([log.flush(), log.flush()]);
  state.isAway = false;
  await log.flush();
  await log.flush();
  expect(texts(stored)).toEqual(["one", "two"]);
});

test("beyond the bound the oldest are lost", async () => {
  const { log, stored, state } = setUp();
  state.isAway = true;
  const count = MAX_WAITING_MESSAGES + 10;
  for (let i = 0; i < count / 2; i++) log.append(said(String(i)), [1]);
  await log.flush();
  for (let i = count / 2; i < count; i++) log.append(said(String(i)), [1]);
  await log.flush();
  state.isAway = false;
  await log.flush();
  expect(texts(stored)).toEqual(
    Array.from({ length: MAX_WAITING_MESSAGES }, (_, i) => String(i + 10)),
  );
});
