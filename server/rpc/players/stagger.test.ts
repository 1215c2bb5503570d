import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createStagger, PLAYERS_A_TURN } from "./stagger.ts";

/** Streams that a tick of a crowd has to write. */
const CROWD = 300;

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("serves as many a turn as it is told, in order, and lets others have their turn in between", async () => {
  const stagger = createStagger();
  const done: number[] = [];
  for (let i = 0; i < PLAYERS_A_TURN * 2 + 1; i++) stagger.enlist(() => done.push(i))();
  expect(done).toEqual([]);
  await turn();
  expect(done).toHaveLength(PLAYERS_A_TURN);
  await turn();
  await turn();
  expect(done).toEqual(Array.from({ length: PLAYERS_A_TURN * 2 + 1 }, (_, i) => i));
});

/** Both ends of a connection within this machine: what is written lies ready at the other end at once. */
async function openPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  const path = join(tmpdir(), `realmwire-${randomUUID()}.sock`);
  server.listen(path);
  await once(server, "listening");
  const near = connect(path);
  const [far] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

test("a call that comes in while a crowd is served is read before all were, and its answer too", async () => {
  const [caller, server] = await openPair();
  const stagger = createStagger();
  let served = 0;
  let servedWhenRead = Number.NaN;
  let servedWhenAnswered = Number.NaN;
  server.on("data", (call) => {
    servedWhenRead = served;
    server.write(call);
  });
  caller.on("data", () => (servedWhenAnswered = served));
  for (let i = 0; i < CROWD; i++) {
    stagger.enlist(() => {
      if (served++ === 0) caller.write("call");
    })();
  }
  await expect.poll(() => servedWhenAnswered).toBeGreaterThan(0);
  expect(servedWhenRead).toBeLessThan(CROWD / 2);
  expect(servedWhenAnswered).toBeLessThan(CROWD);
  await expect.poll(() => served).toBe(CROWD);
});

test("work that waits already is done once, and again when it is added again", async () => {
  const stagger = createStagger();
  let count = 0;
  const ask = stagger.enlist(() => void count++);
  ask();
  ask();
  await turn();
  expect(count).toBe(1);
  ask();
  await turn();
  expect(count).toBe(2);
});

test("work that asks again while it is done has its next turn later, and nobody waits for ever", async () => {
  const stagger = createStagger(2);
  const done: string[] = [];
  const ask = stagger.enlist(() => {
    done.push("again");
    if (done.length < 4) ask();
  });
  ask();
  stagger.enlist(() => done.push("other"))();
  for (let i = 0; i < 4; i++) await turn();
  expect(done).toEqual(["again", "other", "again", "again"]);
});

test("who always asks again while others wait is served in the order of asking, without an end", async () => {
  const stagger = createStagger(2);
  const done: number[] = [];
  const asks = [0, 1, 2].map((i) => {
    const ask: () => void = stagger.enlist(() => {
      done.push(i);
      ask();
    });
    return ask;
  });
  for (const ask of asks) ask();
  for (let i = 0; i < 6; i++) await turn();
  expect(done.slice(0, 12)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
});

test("work that throws does not keep the rest waiting, nor those of its turn for longer than until they ask again", async () => {
  const stagger = createStagger(2);
  const done: string[] = [];
  const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
  stagger.enlist(() => {
    throw new Error("broken");
  })();
  const askAgain = stagger.enlist(() => done.push("same turn"));
  askAgain();
  stagger.enlist(() => done.push("next"))();
  await turn();
  await turn();
  await turn();
  expect(done).toEqual(["next"]);
  askAgain();
  await turn();
  expect(done).toEqual(["next", "same turn"]);
  await thrown;
});
