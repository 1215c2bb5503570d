import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  CharacterRecordSchema,
  ObjectRecordSchema,
  PlacesRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { DomainError } from "../errors.ts";
import type { SaveBatch } from "../store/store.ts";
import { createSaver, PART_ROWS, PARTS, SAVE_INTERVAL_MS } from "./saver.ts";
import type { Row } from "./saver.ts";

interface Save {
  readonly batch: SaveBatch;
  commit(): void;
  fail(): void;
}

/** A store whose saves end when the test says so, well or badly. */
function createSlowStore() {
  const saves: Save[] = [];
  let open = 0;
  let mostAtOnce = 0;
  return {
    /** Saves under way, the oldest first. */
    saves,
    get mostAtOnce() {
      return mostAtOnce;
    },
    save(batch: SaveBatch): Promise<void> {
      mostAtOnce = Math.max(mostAtOnce, ++open);
      return new Promise((resolve, reject) => {
        const end = (act: () => void) => () => {
          saves.splice(saves.indexOf(save), 1);
          open--;
          act();
        };
        const away = new DomainError(ErrorReason.STORE_UNAVAILABLE, "away");
        const save: Save = { batch, commit: end(resolve), fail: end(() => reject(away)) };
        saves.push(save);
      });
    },
  };
}

/** A row that tells a number. */
function row(key: string, version: number): Row {
  return {
    kind: "object",
    record: create(ObjectRecordSchema, { zone: String(version), name: key }),
  };
}

function character(id: number): Row {
  return { kind: "character", record: create(CharacterRecordSchema, { id }) };
}

/** Lets everything happen that needs no save to end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function setUp(options: { maxBatchRows?: number } = {}) {
  const store = createSlowStore();
  const { logger, lines } = createMemoryLog();
  return { store, lines, saver: createSaver({ store, logger, ...options }) };
}

test("notes under one key become one row, made when the batch is", async () => {
  const { store, saver } = setUp();
  let version = 1;
  saver.note("a", () => row("a", 0));
  saver.note("a", () => row("a", version));
  saver.note("c1", () => character(1));
  saver.note("gone", () => undefined);
  version = 2;
  const durable = saver.durable("a");
  await settle();
  expect(store.saves).toHaveLength(1);
  const { objects = [], characters = [] } = store.saves[0]?.batch ?? {};
  expect(objects.map(({ name, zone }) => [name, zone])).toEqual([["a", "2"]]);
  expect(characters.map(({ id }) => id)).toEqual([1]);
  store.saves[0]?.commit();
  await durable;
  expect(saver.size).toBe(0);
});

test("what is not noted is durable already; what was forgotten too", async () => {
  const { store, saver } = setUp();
  await saver.durable("nobody");
  saver.note("a", () => row("a", 1));
  saver.forget("a");
  await saver.durable("a");
  await saver.settled();
  expect(store.saves).toHaveLength(0);
});

test("a failed batch rejects all who wait for it, and is written again later", async () => {
  const { store, saver } = setUp();
  saver.note("a", () => row("a", 1));
  saver.note("b", () => row("b", 1));
  const waits = [saver.durable("a"), saver.durable("b"), saver.settled()];
  const outcomes = Promise.allSettled(waits);
  await settle();
  // What was noted under another key meanwhile is not concerned, nor is what nobody noted.
  saver.note("c", () => row("c", 1));
  await saver.durable("d");
  // `a` waits for the running batch, `b` in the same: both were in it.
  store.saves[0]?.fail();
  await settle();
  store.saves[0]?.fail();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ reason: { reason: ErrorReason.STORE_UNAVAILABLE } });
  }
  expect(saver.size).toBe(3);
  const closing = saver.close();
  await settle();
  expect(store.saves[0]?.batch.objects.map(({ name }) => name).toSorted()).toEqual(["a", "b", "c"]);
  store.saves[0]?.commit();
  await closing;
});

test("a row that takes time to make is waited for; one that cannot be made is lost, and nothing else", async () => {
  const { store, saver, lines } = setUp();
  const making = Promise.withResolvers<Row | undefined>();
  saver.note("slow", () => making.promise);
  saver.note("lost", () => Promise.reject(new Error("its zone is gone")));
  saver.note("broken", () => {
    throw new Error("cannot be made");
  });
  saver.note("a", () => row("a", 1));
  const failed = Promise.allSettled([saver.durable("lost"), saver.durable("broken")]);
  const rest = Promise.all([saver.settled("lost"), saver.settled(), saver.durable("slow")]);
  await settle();
  expect(store.saves).toHaveLength(0);
  making.resolve(row("slow", 3));
  await settle();
  const { objects = [] } = store.saves[0]?.batch ?? {};
  const versions = Object.fromEntries(objects.map(({ name, zone }) => [name, zone]));
  expect(versions).toEqual({ a: "1", slow: "3" });
  store.saves[0]?.commit();
  await rest;
  expect(await failed).toMatchObject([
    { reason: { message: "its zone is gone" } },
    { reason: { message: "cannot be made" } },
  ]);
  expect(lines.map(({ fields }) => fields)).toMatchObject([{ key: "broken" }, { key: "lost" }]);
  expect(saver.size).toBe(0);
});

test("a row that was made is kept when the store fails, also when it could not be made again", async () => {
  const { store, saver } = setUp();
  let asked = 0;
  saver.note("a", async () => {
    if (++asked > 1) throw new Error("its zone is gone");
    return row("a", 1);
  });
  const outcome = saver.durable("a").catch((error: unknown) => error);
  await settle();
  store.saves[0]?.fail();
  expect(await outcome).toMatchObject({ reason: ErrorReason.STORE_UNAVAILABLE });
  const closing = saver.close();
  await settle();
  expect(store.saves[0]?.batch.objects.map(({ zone }) => zone)).toEqual(["1"]);
  store.saves[0]?.commit();
  await closing;
});

test("writes by itself, at its interval, and says when it cannot", async () => {
  vi.useFakeTimers();
  try {
    const store = createSlowStore();
    const { logger, lines } = createMemoryLog();
    const saver = createSaver({ store, logger, intervalMs: 1_000 });
    saver.start();
    saver.note("a", () => row("a", 1));
    await vi.advanceTimersByTimeAsync(999);
    expect(store.saves).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(store.saves).toHaveLength(1);
    // One at a time, however long it takes.
    saver.note("b", () => row("b", 1));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(store.saves).toHaveLength(1);
    store.saves[0]?.fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toMatchObject([{ level: "warn", fields: { rows: 2 } }]);
    expect(store.saves[0]?.batch.objects).toHaveLength(2);
    store.saves[0]?.commit();
    await saver.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.saves).toHaveLength(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a crowd is written in parts, those that waited longest first, and all within the interval", async () => {
  vi.useFakeTimers();
  try {
    const { store, saver } = setUp();
    saver.start();
    const crowd = Array.from({ length: 10 * PART_ROWS }, (_, i) => String(i));
    const walk = () => {
      for (const key of crowd) saver.note(key, () => row(key, 1));
    };
    const written: string[][] = [];
    for (let part = 0; part < 3 * PARTS; part++) {
      walk();
      await vi.advanceTimersByTimeAsync(SAVE_INTERVAL_MS / PARTS);
      written.push(store.saves[0]?.batch.objects.map(({ name }) => name) ?? []);
      store.saves[0]?.commit();
      await vi.advanceTimersByTimeAsync(0);
    }
    for (let end = PARTS; end <= written.length; end++) {
      expect(new Set(written.slice(end - PARTS, end).flat()).size).toBe(crowd.length);
    }
    for (const part of written) expect(part).toHaveLength(crowd.length / PARTS);
    // A part that took as long as three is made up for.
    walk();
    await vi.advanceTimersByTimeAsync((3 * SAVE_INTERVAL_MS) / PARTS);
    expect(store.saves).toHaveLength(1);
    store.saves[0]?.commit();
    await vi.advanceTimersByTimeAsync(SAVE_INTERVAL_MS / PARTS);
    expect(store.saves[0]?.batch.objects.length).toBeGreaterThan((2 * crowd.length) / PARTS);
    store.saves[0]?.commit();
  } finally {
    vi.useRealTimers();
  }
});

test("close writes what is left, also more than one batch, and rejects when it cannot", async () => {
  const { store, saver } = setUp({ maxBatchRows: 2 });
  for (const key of ["a", "b", "c"]) saver.note(key, () => row(key, 1));
  const outcome = saver.close().catch((error: unknown) => error);
  await settle();
  store.saves[0]?.fail();
  expect(await outcome).toMatchObject({ reason: ErrorReason.STORE_UNAVAILABLE });
  expect(saver.size).toBe(3);
  const closing = saver.close();
  const sizes: number[] = [];
  for (let i = 0; i < 2; i++) {
    await settle();
    sizes.push(store.saves[0]?.batch.objects.length ?? 0);
    store.saves[0]?.commit();
  }
  await closing;
  expect(sizes).toEqual([2, 1]);
});

test("where everybody is is asked again when it could not be written", async () => {
  const { store, saver } = setUp();
  let ids = [1, 2];
  const places = (): Row => ({ kind: "places", record: create(PlacesRecordSchema, { ids }) });
  saver.note("ptown", places);
  saver.note("a", () => row("a", 1));
  const durable = saver.durable("a").catch((error: unknown) => error);
  await settle();
  expect(store.saves[0]?.batch.places).toMatchObject([{ ids: [1, 2] }]);
  store.saves[0]?.fail();
  await durable;
  ids = [2];
  const closing = saver.close();
  await settle();
  expect(store.saves[0]?.batch.places).toMatchObject([{ ids: [2] }]);
  expect(store.saves[0]?.batch.objects).toHaveLength(1);
  store.saves[0]?.commit();
  await closing;
});

const KEYS = ["a", "b", "c", "d", "e"];
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("note" as const), key: fc.constantFrom(...KEYS) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), key: fc.constantFrom(...KEYS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait for all" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("commit" as const, "fail" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
);

test("[property] durable means stored, rows never go back in time, and one batch runs at a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, maxBatchRows) => {
        const { store, saver } = setUp({ maxBatchRows });
        const present = new Map(KEYS.map((key) => [key, 0]));
        const stored = new Map(KEYS.map((key) => [key, 0]));
        const waits: Promise<unknown>[] = [];

        const commit = () => {
          const [save] = store.saves;
          for (const { name, zone } of save?.batch.objects ?? []) {
            expect(Number(zone)).toBeGreaterThanOrEqual(stored.get(name) ?? 0);
            stored.set(name, Number(zone));
          }
          save?.commit();
        };
        const expectStored = (keys: readonly string[], durable: Promise<void>) => {
          const least = new Map(keys.map((key) => [key, present.get(key) ?? 0]));
          const check = () => {
            for (const [key, version] of least) {
              expect(stored.get(key), key).toBeGreaterThanOrEqual(version);
            }
          };
          // A failure of the store is an answer too; anything else is not.
          waits.push(
            durable.then(check, (error: unknown) => {
              expect(error).toMatchObject({ reason: ErrorReason.STORE_UNAVAILABLE });
            }),
          );
        };

        for (const now of steps) {
          if (now.do === "note") {
            present.set(now.key, (present.get(now.key) ?? 0) + 1);
            saver.note(now.key, () => row(now.key, present.get(now.key) ?? 0));
          } else if (now.do === "wait") expectStored([now.key], saver.durable(now.key));
          else if (now.do === "wait for all") expectStored(KEYS, saver.settled());
          else if (now.do === "commit") commit();
          else if (now.do === "fail") store.saves[0]?.fail();
          else await settle();
        }
        const closing = saver.close();
        let closed = false;
        void closing.then(() => (closed = true));
        while (!closed) {
          await settle();
          commit();
        }
        await Promise.all(waits);
        expect(stored).toEqual(present);
        expect(store.mostAtOnce).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 1_000 },
  );
});
