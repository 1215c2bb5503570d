import type { SqlEntityManager } from "@mikro-orm/sql";
import { expect, test } from "vitest";
import { createLoader, MAX_KEYS_AT_ONCE } from "./loader.ts";

const em = { fork: () => em } as SqlEntityManager;

/** A loader of rows before a source that answers when it is told to. Its rows are there or not, as `rows` has them at that moment. */
function setUp() {
  const rows = new Map<string, number>();
  const finds: { readonly keys: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const load = createLoader<number>((_, keys) => {
    const found = new Map([...rows].filter(([key]) => keys.includes(key)));
    const { promise, resolve, reject } = Promise.withResolvers<Map<string, number>>();
    finds.push({ keys, end: (error) => (error ? reject(error) : resolve(found)) });
    return promise;
  });
  const asked = () => finds.map(({ keys }) => keys);
  /** Ends the latest look-up, and waits for what comes of it. */
  async function end(error?: Error): Promise<void> {
    finds.at(-1)?.end(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { rows, load: (key: string) => load(em, key), asked, end };
}

test("who comes alone is looked up at once, and others together when that has ended", async () => {
  const { rows, load, asked, end } = setUp();
  rows.set("a", 1).set("c", 3);
  const first = load("a");
  const others = [load("b"), load("c"), load("c")];
  expect(asked()).toEqual([["a"]]);
  await end();
  expect(asked()).toEqual([["a"], ["b", "c"]]);
  await end();
  expect(await first).toBe(1);
  expect(await Promise.all(others)).toEqual([undefined, 3, 3]);
  const later = load("c");
  expect(asked()).toEqual([["a"], ["b", "c"], ["c"]]);
  await end();
  expect(await later).toBe(3);
});

test("what was written before one asks is seen, also while the same is being looked up", async () => {
  const { rows, load, end } = setUp();
  rows.set("a", 1);
  const before = load("a");
  rows.set("a", 2);
  const after = load("a");
  await end();
  await end();
  expect([await before, await after]).toEqual([1, 2]);
});

test("a failure is that of those who were looked up together", async () => {
  const { rows, load, end } = setUp();
  rows.set("c", 3);
  const all = Promise.allSettled([load("a"), load("b"), load("c")]);
  await end(new Error("away"));
  const later = load("c");
  await end(new Error("away again"));
  await end();
  expect((await all).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(await later).toBe(3);
});

test("at once no more than the limit", async () => {
  const { load, asked, end } = setUp();
  const all = Array.from({ length: MAX_KEYS_AT_ONCE + 2 }, (_, i) => load(String(i)));
  for (let i = 0; i < 3; i++) await end();
  expect(asked().map(({ length }) => length)).toEqual([1, MAX_KEYS_AT_ONCE, 1]);
  await Promise.all(all);
});
