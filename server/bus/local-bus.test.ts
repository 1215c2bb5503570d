import { expect, test } from "vitest";
import { BusError } from "./bus.ts";
import { createLocalBus, MAX_WAITING_MESSAGES } from "./local-bus.ts";

const NOTHING = new Uint8Array(0);

async function startBus(onError?: (error: unknown, subject: string) => void) {
  const bus = createLocalBus(onError === undefined ? {} : { onError });
  await bus.start();
  return bus;
}

test("publish has called all handlers when it returns, in the order of their subscriptions", async () => {
  const bus = await startBus();
  const heard: string[] = [];
  bus.subscribe("zone.>", () => heard.push("first"));
  bus.subscribe("zone.town", () => heard.push("second"));
  bus.subscribe("zone.*", () => heard.push("third"));
  bus.publish("zone.town", NOTHING);
  expect(heard).toEqual(["first", "second", "third"]);
});

test("no handler runs within another one", async () => {
  const bus = await startBus();
  const heard: string[] = [];
  bus.subscribe("outer", () => {
    heard.push("outer begins");
    bus.publish("inner", NOTHING);
    heard.push("outer ends");
  });
  bus.subscribe("inner", () => heard.push("inner"));
  bus.publish("outer", NOTHING);
  expect(heard).toEqual(["outer begins", "outer ends", "inner"]);
});

test("a request is handled after the caller's own code", async () => {
  const bus = await startBus();
  const order: string[] = [];
  bus.serve("ask", async (payload) => {
    order.push("handled");
    return payload;
  });
  const answer = bus.request("ask", NOTHING, { timeoutMs: 1_000 });
  order.push("asked");
  await answer;
  expect(order).toEqual(["asked", "handled"]);
});

test("a subscription that a handler ends or begins counts from there on", async () => {
  const bus = await startBus();
  const heard: string[] = [];
  bus.subscribe("news", () => {
    second.close();
    bus.subscribe("news", () => heard.push("third"));
  });
  const second = bus.subscribe("news", () => heard.push("second"));
  bus.publish("news", NOTHING);
  expect(heard).toEqual([]);
  bus.publish("news", NOTHING);
  expect(heard).toEqual(["third"]);
});

test("handlers that publish more than they handle lose messages and are reported", async () => {
  const errors: unknown[] = [];
  const bus = await startBus((error) => errors.push(error));
  let heard = 0;
  bus.subscribe("burst", () => {
    for (let i = 0; i < MAX_WAITING_MESSAGES + 3; i++) bus.publish("drop", NOTHING);
  });
  bus.subscribe("drop", () => heard++);
  bus.publish("burst", NOTHING);
  expect(heard).toBe(MAX_WAITING_MESSAGES);
  expect(errors.map(String)).toEqual(
    Array.from({ length: 3 }, () => expect.stringContaining("a message was dropped")),
  );
});

test("it is of use only between start and close", async () => {
  const bus = createLocalBus();
  expect(() => bus.publish("news", NOTHING)).toThrow(
    new BusError("closed", "the bus is not started"),
  );
  await bus.start();
  bus.publish("news", NOTHING);
  await bus.close();
  expect(() => bus.publish("news", NOTHING)).toThrow(new BusError("closed", "the bus is closed"));
});

test("two buses know nothing of each other", async () => {
  const [one, other] = [await startBus(), await startBus()];
  const heard: string[] = [];
  other.subscribe("news", () => heard.push("other"));
  one.publish("news", NOTHING);
  expect(heard).toEqual([]);
  await one.acquireLease("zone.town", { value: NOTHING, ttlMs: 1_000 });
  expect(await other.readLease("zone.town")).toBeUndefined();
});
