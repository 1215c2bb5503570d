import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CounterSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { MapObjectSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import {
  componentIn,
  createTestZone,
  drawMap,
  edit,
  input,
  join,
  placeIn,
  steps,
  vector,
} from "../../test/support/sim.ts";
import { MAX_CALLS_PER_STEP } from "./behaviour.ts";
import type { Kind, Self } from "./kind.ts";

const FIELD = Array.from({ length: 20 }, () => ".".repeat(20));

function zoneWith(run: Kind["run"], more: Partial<Kind> = {}) {
  const kind: Kind = {
    is: "creature",
    body: { speed: 4 },
    components: [create(CounterSchema)],
    ...(run ? { run } : {}),
    ...more,
  };
  const objects = [{ name: "hero", kind: "hero", position: { x: 10, y: 10 } }];
  return createTestZone(drawMap(FIELD, { objects }), { kinds: { hero: kind } }).zone;
}

function count(self: Self): bigint {
  const next = (self.get(CounterSchema)?.count ?? 0n) + 1n;
  self.set(CounterSchema, { count: next });
  return next;
}

describe("[SM-18] a behaviour", () => {
  it("runs by the zone's clock", () => {
    const zone = zoneWith(function* (self) {
      for (;;) {
        count(self);
        yield self.wait(0.5);
      }
    });
    steps(zone, 11);
    expect(componentIn(zone, "hero", CounterSchema)?.count).toBe(3n);
  });

  it("[SM-20] walks, strolls, looks around and speaks in one line each", () => {
    const heard: string[][] = [];
    const zone = zoneWith(function* (self) {
      self.walkTo({ x: 12, y: 10 });
      while (self.walking) yield 1;
      self.say(`at ${self.position.x.toFixed(3)}`);
      heard.push(self.charactersWithin(5));
      self.stroll(2, { x: 12, y: 10 });
      yield self.wait(2);
      self.sayOneOf(["a", "b"]);
      self.stop();
    });
    join(zone, "far", { x: 12, y: 14 });
    join(zone, "near", { x: 12, y: 13 });
    join(zone, "away", { x: 1, y: 1 });
    const said = steps(zone, 40).flatMap(({ personal, failures }) => {
      expect(failures).toEqual([]);
      return personal.map(({ event }) => (event.kind.case === "chat" ? event.kind.value.text : ""));
    });
    expect(said.slice(0, 2)).toEqual(["at 12.000", "at 12.000"]);
    expect(said).toHaveLength(4);
    expect(heard).toEqual([["near", "far"]]);
    const { x, y } = placeIn(zone, "hero");
    expect(Math.max(Math.abs(x - 12), Math.abs(y - 10))).toBeLessThanOrEqual(2);
  });

  it("that throws is ended and reported, and its entity stays", () => {
    const zone = zoneWith(function* (self) {
      yield 1;
      throw new Error(`oh, ${self.name}`);
    });
    expect(steps(zone, 2).flatMap(({ failures }) => failures)).toMatchObject([
      { task: "hero hero", error: { message: "oh, hero" } },
    ]);
    expect(zone.brief("hero")).toBeDefined();
    expect(steps(zone, 10).flatMap(({ failures }) => failures)).toEqual([]);
  });

  const endless: [string, (self: Self) => unknown][] = [
    ["says", (self) => self.say("x")],
    ["waits for its walk to end", (self) => self.walking],
    ["throws dice", (self) => self.random()],
    ["picks", (self) => self.pick([1])],
    ["looks", (self) => self.get(CounterSchema)],
    ["looks where it is", (self) => self.position],
    ["walks", (self) => self.walkTo({ x: 10, y: 10 })],
    ["strolls into walls", (self) => self.stroll(0, { x: -50, y: -50 })],
  ];
  it.each(endless)("that %s without ever yielding is ended", (_, act) => {
    const zone = zoneWith(function* (self) {
      yield 1;
      for (;;) act(self);
    });
    const failures = steps(zone, 3).flatMap(({ failures }) => failures);
    expect(failures).toMatchObject([
      { error: { message: expect.stringContaining(`${MAX_CALLS_PER_STEP} calls`) } },
    ]);
  });

  it("has a new budget after each yield", () => {
    const zone = zoneWith(function* (self) {
      for (let i = 0; i < 5; i++) {
        for (let n = 0; n < MAX_CALLS_PER_STEP; n++) self.random();
        yield 1;
      }
      count(self);
    });
    expect(steps(zone, 8).flatMap(({ failures }) => failures)).toEqual([]);
    expect(componentIn(zone, "hero", CounterSchema)?.count).toBe(1n);
  });

  it("ends with its entity, and a new entity of the name has its own", () => {
    const born: string[] = [];
    const zone = zoneWith(function* (self) {
      born.push(self.name);
      for (;;) {
        count(self);
        yield 1;
      }
    });
    steps(zone, 3);
    const value = create(MapObjectSchema, { name: "hero", kind: "hero", position: vector(5, 5) });
    edit(zone, { case: "putObject", value });
    expect(steps(zone, 2).flatMap(({ failures }) => failures)).toEqual([]);
    expect(componentIn(zone, "hero", CounterSchema)?.count).toBe(2n);
    edit(zone, { case: "removeObject", value: "hero" });
    expect(steps(zone, 2).flatMap(({ failures }) => failures)).toEqual([]);
    expect(born).toEqual(["hero", "hero"]);
  });

  it("gets what a component can hold, at once and not only when the zone goes on from a checkpoint", () => {
    const scales: (number | undefined)[] = [];
    const zone = zoneWith(function* (self) {
      self.set(BodySchema, { scale: 0.1 });
      for (;;) {
        scales.push(self.get(BodySchema)?.scale);
        yield 1;
      }
    });
    steps(zone, 1);
    zone.checkpoint();
    steps(zone, 1);
    expect(scales).toEqual([Math.fround(0.1), Math.fround(0.1)]);
  });

  it("that sets what a field cannot hold is ended and reported, and nothing is changed", () => {
    const zone = zoneWith(function* (self) {
      yield 1;
      self.set(CounterSchema, { count: 2n ** 64n });
    });
    steps(zone, 1);
    const { failures } = zone.step();
    expect(failures.map(({ task, error }) => [task, String(error)])).toEqual([
      ["hero hero", expect.stringContaining("count")],
    ]);
    expect(componentIn(zone, "hero", CounterSchema)?.count).toBe(0n);
  });

  it("begins anew at a checkpoint and goes on from what it keeps in components", () => {
    let births = 0;
    const zone = zoneWith(function* (self) {
      births++;
      for (;;) {
        count(self);
        yield 1;
      }
    });
    steps(zone, 3);
    zone.checkpoint();
    steps(zone, 3);
    expect(births).toBe(2);
    expect(componentIn(zone, "hero", CounterSchema)?.count).toBe(6n);
  });
});

describe("[SM-18] hearing", () => {
  const say = (zone: ReturnType<typeof zoneWith>, name: string) =>
    zone.apply(input({ case: "say", value: { name, text: "hello" } }));

  it("tells who said what, to those in earshot and not to the speaker", () => {
    const heard: string[] = [];
    const onHear: Kind["onHear"] = (self, speaker, text) => {
      heard.push(`${speaker}: ${text}`);
      self.say(`hello, ${speaker}`);
    };
    const zone = zoneWith(undefined, { onHear });
    join(zone, "ada", { x: 8, y: 10 });
    say(zone, "ada");
    say(zone, "hero");
    expect(heard).toEqual(["ada: hello"]);
    expect(
      zone.step().personal.map(({ event }) => event.kind.case === "chat" && event.kind.value.text),
    ).toEqual(["hello", "hello, ada", "hello"]);
  });

  it("that throws or never ends is reported, and what was said is said", () => {
    const zone = zoneWith(undefined, {
      onHear(self) {
        for (;;) self.say("me too");
      },
    });
    join(zone, "ada", { x: 8, y: 10 });
    expect(say(zone, "ada").kind.case).toBe("chat");
    expect(zone.step().failures).toMatchObject([{ task: "hero hero" }]);
  });
});
