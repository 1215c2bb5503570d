import { expect, test } from "vitest";
import { createEmitter } from "./emitter.ts";

test("listeners hear in the order of their coming until they are taken away", () => {
  const heard: string[] = [];
  const emitter = createEmitter<[string]>(() => {});
  const first = emitter.on((text) => heard.push(`first ${text}`));
  emitter.on((text) => heard.push(`second ${text}`));
  emitter.emit("a");
  first();
  first();
  emitter.emit("b");
  expect(heard).toEqual(["first a", "second a", "second b"]);
});

test("a listener that throws is reported and does not keep the rest from hearing", () => {
  const reported: unknown[] = [];
  let heard = 0;
  const emitter = createEmitter<[]>((error) => reported.push(error));
  const error = new Error("mine");
  emitter.on(() => {
    throw error;
  });
  emitter.on(() => heard++);
  emitter.emit();
  expect(reported).toEqual([error]);
  expect(heard).toBe(1);
});

test("who is taken away or comes in the middle of a call is not called in it", () => {
  const heard: string[] = [];
  const emitter = createEmitter<[]>(() => {});
  const again = (): void => {
    heard.push("again");
    unsubscribe();
    unsubscribe = emitter.on(again);
    removeOther();
  };
  let unsubscribe = emitter.on(again);
  const removeOther = emitter.on(() => heard.push("other"));
  emitter.emit();
  emitter.emit();
  expect(heard).toEqual(["again", "again"]);
});
