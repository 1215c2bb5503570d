import { expect, test } from "vitest";
import { messagesOf } from "./ready-stream.ts";
import type { ReadyStream } from "./ready-stream.ts";

test("what was read of a stream stays as it was when the stream writes the next message into the same bytes", async () => {
  const shared = new Uint8Array(1);
  let count = 0;
  const stream: ReadyStream = {
    next() {
      shared[0] = ++count;
      return shared;
    },
    ended: () => count === 3,
    wait() {},
    close() {},
  };
  const read: Uint8Array[] = [];
  const { signal } = new AbortController();
  for await (const bytes of messagesOf(Promise.resolve(stream), (given) => given, signal)) {
    read.push(bytes);
  }
  expect(read.map(([first]) => first)).toEqual([1, 2, 3]);
});
