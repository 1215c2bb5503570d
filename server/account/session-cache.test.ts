import { describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { DomainError } from "../errors.ts";
import { createSessionCache, type KnownSession } from "./session-cache.ts";

function live(key: string, accountId = 1): KnownSession {
  const session = { key, accountId, accountName: "a", role: Role.PLAYER, character: undefined };
  return { kind: "live", session, expiresAtMs: Infinity };
}

/** A cache before a source that answers when it is told to. */
function setUp(options: { maxSessions?: number } = {}) {
  const asked: string[] = [];
  const answers = new Map<string, (known: KnownSession | undefined) => void>();
  let nowMs = 0;
  const cache = createSessionCache({
    find: (key) => {
      asked.push(key);
      return new Promise((resolve) => answers.set(key, resolve));
    },
    ttlMs: 1_000,
    staleMs: 5_000,
    maxSessions: options.maxSessions ?? 10,
    now: () => nowMs,
  });
  return {
    cache,
    asked,
    answer: (key: string, known: KnownSession | undefined) => answers.get(key)?.(known),
    pass: (ms: number) => (nowMs += ms),
    async fill(key: string, known: KnownSession) {
      const got = cache.get(key);
      answers.get(key)?.(known);
      await got;
    },
  };
}

test("many who ask at once share one look-up, and later ones need none", async () => {
  const { cache, asked, answer } = setUp();
  const all = Promise.all([cache.get("k"), cache.get("k"), cache.get("k")]);
  answer("k", live("k"));
  expect(await all).toEqual([live("k"), live("k"), live("k")]);
  expect(await cache.get("k")).toEqual(live("k"));
  expect(asked).toEqual(["k"]);
});

test("what is remembered is looked up again after its time", async () => {
  const { cache, asked, pass, fill, answer } = setUp();
  await fill("k", live("k"));
  pass(999);
  await cache.get("k");
  expect(asked).toHaveLength(1);
  pass(1);
  const again = cache.get("k");
  expect(asked).toHaveLength(2);
  answer("k", { kind: "ended" });
  expect(await again).toEqual({ kind: "ended" });
});

test("unknown sessions are not remembered", async () => {
  const { cache, asked, answer } = setUp();
  const first = cache.get("made-up");
  answer("made-up", undefined);
  expect(await first).toBeUndefined();
  void cache.get("made-up");
  expect(asked).toHaveLength(2);
});

test("a failed look-up is not remembered either", async () => {
  let calls = 0;
  const cache = createSessionCache({
    find: (key) => (calls++ === 0 ? Promise.reject(new Error("away")) : Promise.resolve(live(key))),
    ttlMs: 1_000,
    staleMs: 5_000,
    maxSessions: 10,
    now: () => 0,
  });
  const both = await Promise.allSettled([cache.get("k"), cache.get("k")]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(calls).toBe(1);
  expect(await cache.get("k")).toEqual(live("k"));
});

test.each([
  ["forget", (cache: ReturnType<typeof createSessionCache>) => cache.forget("k")],
  ["forgetAccount", (cache: ReturnType<typeof createSessionCache>) => cache.forgetAccount(1)],
])("%s also holds for what is being looked up", async (_, forget) => {
  const { cache, asked, answer, fill } = setUp();
  const stale = cache.get("k");
  forget(cache);
  answer("k", live("k"));
  await stale;
  const fresh = cache.get("k");
  expect(asked).toHaveLength(2);
  answer("k", { kind: "replaced" });
  expect(await fresh).toEqual({ kind: "replaced" });
  await fill("other", live("other", 2));
  expect(await cache.get("other")).toEqual(live("other", 2));
});

test("what is set wins over what is being looked up", async () => {
  const { cache, answer } = setUp();
  const stale = cache.get("k");
  cache.set("k", { kind: "replaced" });
  answer("k", live("k"));
  await stale;
  expect(await cache.get("k")).toEqual({ kind: "replaced" });
});

test("only one account's sessions are forgotten", async () => {
  const { cache, asked, fill } = setUp();
  await fill("a", live("a", 1));
  await fill("b", live("b", 2));
  cache.forgetAccount(1);
  await cache.get("b");
  expect(asked).toEqual(["a", "b"]);
  void cache.get("a");
  expect(asked).toEqual(["a", "b", "a"]);
});

test("at the bound the one not used for longest is forgotten", async () => {
  const { cache, asked, fill } = setUp({ maxSessions: 2 });
  await fill("a", live("a"));
  await fill("b", live("b"));
  await cache.get("a");
  await fill("c", live("c"));
  expect(asked).toEqual(["a", "b", "c"]);
  await cache.get("a");
  await cache.get("c");
  expect(asked).toHaveLength(3);
  void cache.get("b");
  expect(asked).toHaveLength(4);
});

describe("while the store is away", () => {
  /** A cache before a source that is there or not. */
  function setUpOutage() {
    const source = { isAway: false, nowMs: 0, hangs: false };
    const cache = createSessionCache({
      find: (key) => {
        if (source.hangs) return new Promise(() => {});
        if (!source.isAway) return Promise.resolve(live(key));
        return Promise.reject(new DomainError(ErrorReason.STORE_UNAVAILABLE, "away"));
      },
      ttlMs: 1_000,
      staleMs: 5_000,
      maxSessions: 10,
      now: () => source.nowMs,
    });
    return { cache, source };
  }

  test("known sessions go on for a bounded time, unknown ones are refused", async () => {
    const { cache, source } = setUpOutage();
    await cache.get("k");
    source.isAway = true;
    source.nowMs = 1_000;
    expect(await cache.get("k")).toEqual(live("k"));
    await expect(cache.get("other")).rejects.toThrow("away");
    source.nowMs = 5_999;
    expect(await cache.get("k")).toEqual(live("k"));
    source.nowMs = 6_000;
    await expect(cache.get("k")).rejects.toThrow("away");
  });

  test("nobody waits for a store that does not answer, after the first who noticed", async () => {
    const { cache, source } = setUpOutage();
    await cache.get("k");
    source.isAway = true;
    source.nowMs = 1_000;
    await cache.get("k");
    source.hangs = true;
    expect(await cache.get("k")).toEqual(live("k"));
  });

  test("sessions that ended do not go on", async () => {
    const { cache, source } = setUpOutage();
    await cache.get("k");
    cache.set("k", { kind: "ended" });
    await cache.get("gone");
    cache.forget("gone");
    source.isAway = true;
    source.nowMs = 1_000;
    await expect(cache.get("k")).rejects.toThrow("away");
    await expect(cache.get("gone")).rejects.toThrow("away");
  });

  test("one that is forgotten while the store does not answer does not go on either", async () => {
    const { cache, source } = setUpOutage();
    await cache.get("k");
    source.isAway = true;
    source.nowMs = 1_000;
    const asking = cache.get("k");
    cache.forget("k");
    await expect(asking).rejects.toThrow("away");
  });

  test("what the store says counts again as soon as it is back", async () => {
    const { cache, source } = setUpOutage();
    await cache.get("k");
    source.isAway = true;
    source.nowMs = 1_000;
    await cache.get("k");
    source.isAway = false;
    await cache.get("k");
    await new Promise((resolve) => setImmediate(resolve));
    // The look-up in the background has refreshed it.
    source.isAway = true;
    source.nowMs = 6_500;
    expect(await cache.get("k")).toEqual(live("k"));
  });
});
