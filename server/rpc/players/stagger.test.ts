import { expect, test } from "vitest";
import { createStagger, PLAYERS_A_TURN } from "./stagger.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("serves as many a turn as it is told, in order, and lets others have their turn in between", async () => {
  const stagger = createStagger();
  const done: number[] = [];
  for (let i = 0; i < PLAYERS_A_TURN * 2 + 1; i++) stagger.add(() => done.push(i));
  expect(done).toEqual([]);
  await turn();
  expect(done).toHaveLength(PLAYERS_A_TURN);
  await turn();
  await turn();
  expect(done).toEqual(Array.from({ length: PLAYERS_A_TURN * 2 + 1 }, (_, i) => i));
});

test("work that waits already is done once, and again when it is added again", async () => {
  const stagger = createStagger();
  let count = 0;
  const work = () => void count++;
  stagger.add(work);
  stagger.add(work);
  await turn();
  expect(count).toBe(1);
  stagger.add(work);
  await turn();
  expect(count).toBe(2);
});

test("work that throws does not keep the rest waiting", async () => {
  const stagger = createStagger(1);
  const done: string[] = [];
  const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
  stagger.add(() => {
    throw new Error("broken");
  });
  stagger.add(() => done.push("next"));
  await turn();
  await turn();
  await turn();
  expect(done).toEqual(["next"]);
  await thrown;
});
