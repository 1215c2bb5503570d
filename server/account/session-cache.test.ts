import { expect, test } from "vitest";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
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
