import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { TICK_RATE_HZ } from "../../bench/world/rules.ts";
import { createRealmwire } from "../../clients/ts/index.ts";
import { SILENCE_MS } from "../../clients/ts/world-stream.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { RECORDING_BYTES } from "../../server/sim/recorder.ts";
import { eventually } from "../support/player.ts";
import { requireOrSkip } from "../support/require.ts";
import { clientFor, DEV_PASSWORD } from "../support/server.ts";
import { report, scaled } from "../support/stress.ts";
import { valueOf } from "../support/values.ts";
import { ADDRESSES_NEEDED, addressOf, hasAddresses } from "./crowd/addresses.ts";
import { type CrowdServer, startCrowdServer } from "./crowd/crowd-server.ts";
import { CALL_TIMEOUT_MS, type Impressions, startOnlooker } from "./crowd/onlooker.ts";
import { openReader, type Reader, STALLS } from "./crowd/readers.ts";
import { walkAbout } from "./crowd/walkers.ts";

/** Those who make trouble at once: a thousand with `npm run stress crowd -- --times 4`. */
const CROWD = scaled(250);
/** Those who play on meanwhile. */
const ONLOOKERS = 3;
/** How long all of them walk about, in milliseconds. */
const WALK_MS = 6_000;
/** The part of ticks and updates that must come in time: where others need the machine too, a few do not. */
const NEARLY_ALL = 0.8;
/** Bytes of a mood; one in so many has moods. */
const MOOD_BYTES = 60_000;
const MOODY = 10;
/** What a crowd may leave behind, in bytes: a little of each, and code that the engine made faster meanwhile. */
const LEFT_BEHIND_BYTES = CROWD * 4_096 + 2_000_000;
/** What the zone's recording may hold more, in bytes: two parts, and the states that they begin with, with the moods. */
const RECORDED_BYTES = 2 * RECORDING_BYTES + (2 * CROWD * MOOD_BYTES) / MOODY;
/** A server is idle when it holds no less a moment later, in milliseconds. */
const MOMENT_MS = 2_000;
/** How long that may take, in milliseconds: looking at it collects all garbage, which takes seconds where others need the machine. */
const SETTLED_WITHIN_MS = 120_000;
/** Moods until the system's own buffers of a reader are full, and as many more. */
const MOODS = 6;
/** What may wait for one reader, in bytes: what a connection takes before it says that it is full, and the one message that fills it. */
const WAITING_BYTES = 256 * 1024;

vi.setConfig({ testTimeout: scaled(300_000) });

let server: CrowdServer;
let possible = false;

beforeAll(async () => {
  possible = await hasAddresses();
  if (!possible) return;
  server = await startCrowdServer(CROWD + ONLOOKERS);
  // What the first crowd leaves is not the next one's: code that was made fast, sessions that are remembered.
  for (const reader of await openReaders()) reader.leave("fin");
}, scaled(300_000));
afterAll(() => server?.close());
beforeEach((context) => requireOrSkip(context, possible, ADDRESSES_NEEDED));

/** Lets some play on while something happens. They notice as little as the protocol promises. */
async function whilePlaying(what: string, happen: () => Promise<void>): Promise<void> {
  const onlookers = await Promise.all(
    server.tokens.slice(CROWD).map((token) => startOnlooker(server.baseUrl, token)),
  );
  await happen();
  const all: Impressions[] = await Promise.all(onlookers.map((onlooker) => onlooker.leave()));
  for (const { longestSilence, slowestMove, medianMove, moves } of all) {
    report(
      `${what}: silence at most ${Math.round(longestSilence)} ms; ${moves} Moves, half within ${Math.round(medianMove)} ms, the slowest ${Math.round(slowestMove)} ms`,
    );
    // Or else the SDK would take the stream for broken.
    expect(longestSilence).toBeLessThan(SILENCE_MS);
    expect(slowestMove).toBeLessThan(CALL_TIMEOUT_MS);
    expect(moves).toBeGreaterThan(1);
  }
}

/** Waits until all have left and nothing more is freed; bytes in use come back. */
async function usedWhenIdle(): Promise<number> {
  await eventually("nobody", async () => (await server.connections()) === 0);
  let used = Number.POSITIVE_INFINITY;
  const isSettled = async () => {
    const before = used;
    await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
    used = await server.inspector.usedBytes();
    return used > before * 0.995;
  };
  await eventually("no more to free", isSettled, SETTLED_WITHIN_MS);
  return used;
}

/** Lets something happen. Afterwards the server holds as little as before, but for `leftBytes`. */
async function expectSameMemory(
  what: string,
  leftBytes: number,
  happen: (idleBytes: number) => Promise<void>,
): Promise<void> {
  const before = await usedWhenIdle();
  await happen(before);
  const after = await usedWhenIdle();
  report(`${what}: ${toMb(before)} MB before, ${toMb(after)} MB afterwards`);
  expect(after).toBeLessThan(before + leftBytes);
}

const toMb = (bytes: number) => (bytes / 1e6).toFixed(1);

function openReaders(): Promise<Reader[]> {
  const { port, tokens } = server;
  return Promise.all(
    tokens.slice(0, CROWD).map((token, number) => {
      const stall = STALLS[number % STALLS.length] ?? "http1";
      return openReader(port, { number, token, stall });
    }),
  );
}

// The first: it begins with a look whether all see from home whom they should.
test("[CO-10] a crowd that walks about is told of nearly every tick, and the ticks come on time", async () => {
  const { seconds, ticks, told, moves, late } = await walkAbout(server, WALK_MS);
  const least = Math.min(...told);
  report(
    `walking: ${ticks} ticks in ${seconds.toFixed(1)} s, of which each was told at least ${least}; ${moves} Moves, ${late} late`,
  );
  expect(told.length).toBeGreaterThan(100);
  expect(ticks).toBeGreaterThan(seconds * TICK_RATE_HZ * NEARLY_ALL);
  expect(least).toBeGreaterThan(ticks * NEARLY_ALL);
});

test("a crowd that is gone within a second disturbs nobody, and leaves nothing behind", async () => {
  await expectSameMemory("disconnects", LEFT_BEHIND_BYTES, async () => {
    await whilePlaying("disconnects", async () => {
      const readers = await openReaders();
      report(`disconnects: ${toMb(await server.inspector.usedBytes())} MB while all are there`);
      expect(await server.connections()).toBeGreaterThan(CROWD);
      for (const [i, reader] of readers.entries()) reader.leave(i % 2 === 0 ? "fin" : "rst");
      await eventually("they are gone", async () => (await server.connections()) <= ONLOOKERS);
    });
  });
});

test("a crowd that does not read disturbs nobody, and costs bounded memory", async () => {
  await expectSameMemory("stalled readers", RECORDED_BYTES, async (idleBytes) => {
    await whilePlaying("stalled readers", async () => {
      const readers = await openReaders();
      for (const reader of readers) reader.stall();
      const before = readers.map(({ bytes }) => bytes);
      const held = [await haveMoods(), await haveMoods()];
      for (const [i, { bytes }] of readers.entries()) {
        expect(bytes - (before[i] ?? 0)).toBeLessThan(WAITING_BYTES);
      }
      const [first = 0, second = 0] = held.map((used) => used - idleBytes);
      report(`stalled readers: ${toMb(first)} MB more than before, then ${toMb(second)} MB`);
      expect(first).toBeLessThan(CROWD * WAITING_BYTES);
      // What comes on top of full buffers is not kept.
      expect(second).toBeLessThan(first * 1.25);
      await expectServedAgain(readers.filter((_, i) => i % STALLS.length < 2).slice(0, 20));
      for (const [i, reader] of readers.entries()) reader.leave(i % 2 === 0 ? "fin" : "rst");
    });
  });
});

async function expectServedAgain(readers: readonly Reader[]): Promise<void> {
  const from = readers.map(({ bytes }) => bytes);
  for (const reader of readers) reader.resume();
  await eventually("they are served", () =>
    readers.every(({ bytes, isOpen }, i) => isOpen && bytes > (from[i] ?? 0)),
  );
}

/** Changes what all see, again and again; bytes in use come back. */
async function haveMoods(): Promise<number> {
  const moody = server.tokens.slice(0, CROWD).filter((_, i) => i % MOODY === 0);
  const clients = moody.map((token) => clientFor(WorldService, server.baseUrl, token));
  for (let i = 0; i < MOODS; i++) {
    const change = { case: "value", value: valueOf(`${i}`.padEnd(MOOD_BYTES, "mood ")) } as const;
    await Promise.all(clients.map((client) => client.set({ attribute: "mood", change })));
  }
  return server.inspector.usedBytes();
}

test("a crowd that logs in at once disturbs nobody, and all get in", async () => {
  await expectSameMemory("logins", LEFT_BEHIND_BYTES, async () => {
    await whilePlaying("logins", async () => {
      const began = performance.now();
      const clients = Array.from({ length: CROWD }, (_, number) => createCaller(number));
      await Promise.all(clients.map((client, i) => client.login(`p${i}`, DEV_PASSWORD)));
      report(`logins: ${CROWD} within ${Math.round((performance.now() - began) / 1000)} s`);
      expect(new Set(clients.map(({ session }) => session?.token)).size).toBe(CROWD);
      expect(clients.map(({ session }) => session?.character)).toEqual(
        Array.from({ length: CROWD }, (_, i) => `p${i}`),
      );
    });
  });
});

/** A client of the SDK with an address of its own. Its patience lasts for all who come before it. */
function createCaller(number: number) {
  return createRealmwire({
    baseUrl: server.baseUrl,
    callTimeoutMs: scaled(120_000),
    patienceMs: scaled(240_000),
    createTransport: (options) =>
      createConnectTransport({
        ...options,
        httpVersion: "1.1",
        nodeOptions: { localAddress: addressOf(number), agent: false },
      }),
  });
}
