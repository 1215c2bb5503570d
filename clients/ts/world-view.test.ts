import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CreatureSchema, SignSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { pack, TOWN, update } from "./testing/messages.ts";
import { anyModelStep, createModelWorld } from "./testing/model-world.ts";
import type { ModelWorld } from "./testing/model-world.ts";
import type { Point } from "./value.ts";
import { createWorldView } from "./world-view.ts";
import type { WorldView } from "./world-view.ts";

/** Writes down what the listeners of a view hear. */
function listen(view: WorldView): string[] {
  const heard: string[] = [];
  view.onRemove(({ name }) => heard.push(`- ${name}`));
  view.onScene(({ zone }) => heard.push(`scene ${zone}`));
  view.onAdd(({ name }) => heard.push(`+ ${name}`));
  view.onChange(({ name }, { position, velocity, components }) => {
    const what = [position && "position", velocity && "velocity", ...components].filter(Boolean);
    heard.push(`~ ${name}: ${what.join(" ")}`);
  });
  view.onEvent((event) => heard.push(`event ${event.case}`));
  view.onFlag((flag) => heard.push(`flag ${flag.case}`));
  view.onUpdate(({ tick }) => heard.push(`tick ${tick}`));
  return heard;
}

function createTown(): { view: WorldView; heard: string[] } {
  const view = createWorldView({ components: [CreatureSchema] });
  view.apply(
    update({
      tick: 100,
      scene: TOWN,
      entities: [
        { id: 1, name: "ada", kind: EntityKind.CHARACTER, position: { x: 1, y: 1 } },
        { id: 2, name: "bob", kind: EntityKind.CHARACTER, position: { x: 2, y: 2 } },
      ],
    }),
  );
  return { view, heard: listen(view) };
}

test("the first message brings the scene and everybody in it", () => {
  const view = createWorldView();
  expect(view.self).toBeUndefined();
  const heard = listen(view);
  view.apply(update({ tick: 5, scene: TOWN, entities: [{ id: 1, name: "ada" }] }));
  expect(heard).toEqual(["scene town", "+ ada", "tick 5"]);
  expect(view.scene).toMatchObject({
    zone: "town",
    mapRevision: 1,
    tickRateHz: 10,
    viewRadius: 20,
  });
  expect(view.self?.name).toBe("ada");
  expect(view.named("ada")).toBe(view.entities.get(1));
});

test("columns are 1/256 tile and count from their origin", () => {
  const { view, heard } = createTown();
  view.apply(
    update({
      tick: 101,
      moved: { ids: [1, 2], originX: 256, originY: -512, xs: [128, 0], ys: [0, 1], zs: [0, 64] },
      turned: { ids: [2], xs: [-256], ys: [512] },
    }),
  );
  expect(view.entities.get(1)?.position).toEqual({ x: 1.5, y: -2, z: 0 });
  expect(view.entities.get(2)?.position).toEqual({ x: 1, y: -511 / 256, z: 0.25 });
  expect(view.entities.get(2)?.velocity).toEqual({ x: -1, y: 2, z: 0 });
  expect(heard).toEqual(["~ bob: position velocity", "~ ada: position", "tick 101"]);
});

test("entities have what their baseline holds, as it was when they came", () => {
  const { view } = createTown();
  const hen = (health: number) => ({
    ...{ number: 3, kind: EntityKind.CREATURE, visual: "hen" },
    components: [pack(CreatureSchema, { health })],
  });
  const entities = (from: number) => [
    { id: from, name: `hen-${from}`, baseline: 3, position: { x: 1, y: 2 } },
    { id: from + 1, name: `hen-${from + 1}`, baseline: 3 },
  ];
  const visuals: string[] = [];
  view.onUpdate((update) => visuals.push(...update.entities.map(({ visual }) => visual)));
  view.apply(update({ tick: 101, baselines: [hen(3)], entities: entities(10) }));
  view.apply(
    update({ tick: 102, changed: [{ id: 10, components: [pack(CreatureSchema, { health: 1 })] }] }),
  );
  view.apply(update({ tick: 103, scene: TOWN, entities: entities(10) }));
  view.apply(update({ tick: 104, baselines: [hen(9)], entities: entities(20) }));
  const healthOf = (id: number) => view.entities.get(id)?.get(CreatureSchema)?.health;
  expect([10, 11, 20, 21].map(healthOf)).toEqual([3, 3, 9, 9]);
  expect(view.named("hen-10")).toMatchObject({
    kind: EntityKind.CREATURE,
    visual: "hen",
    position: { x: 1, y: 2, z: 0 },
  });
  expect(visuals).toEqual(Array.from({ length: 6 }, () => "hen"));
  expect(view.problems).toBe(0);
  view.apply(update({ tick: 105, entities: [{ id: 30, name: "odd", baseline: 4 }] }));
  expect(view.problems).toBe(1);
  expect(view.named("odd")).toBeDefined();
});

test("who has a velocity goes on, and every message is a change of position", () => {
  const { view, heard } = createTown();
  view.apply(update({ tick: 101, turned: { ids: [1], xs: [512], ys: [-256] } }));
  expect(view.self?.position).toEqual({ x: 1.2, y: 0.9, z: 0 });
  view.apply(update({ tick: 111 }));
  expect(view.self?.position.x).toBeCloseTo(3.2, 9);
  expect(view.self?.position.y).toBeCloseTo(-0.1, 9);
  view.apply(update({ tick: 112, turned: { ids: [1], xs: [0], ys: [0] } }));
  view.apply(update({ tick: 130 }));
  expect(view.self?.position.x).toBeCloseTo(3.2, 9);
  const first = ["~ ada: position velocity", "tick 101", "~ ada: position", "tick 111"];
  expect(heard).toEqual([...first, "~ ada: velocity", "tick 112", "tick 130"]);
});

test("listeners hear of a message in one order, after all of it is applied", () => {
  const { view, heard } = createTown();
  let seen = -1;
  view.onRemove(() => (seen = view.entities.size));
  view.apply(
    update({
      tick: 101,
      left: [2],
      entities: [{ id: 3, name: "hen" }],
      changed: [{ id: 1, components: [pack(CreatureSchema, { health: 9 })] }],
      events: [
        { kind: { case: "notice", value: "hello" } },
        { kind: { case: "chat", value: { text: "hi" } } },
      ],
      flags: [{ kind: { case: "zone", value: { zone: "cave" } } }],
      acknowledged: 4,
    }),
  );
  const order = ["- bob", "+ hen", "~ ada: meadow.v1.Creature", "event notice", "event chat"];
  expect(heard).toEqual([...order, "flag zone", "tick 101"]);
  expect(seen).toBe(2);
  expect(view.self?.get(CreatureSchema)?.health).toBe(9);
  expect(view.acknowledged).toBe(4);
});

test("a message that says nothing of the last Move leaves it as it was; a scene begins anew", () => {
  const { view } = createTown();
  view.apply(update({ tick: 101, acknowledged: 7 }));
  view.apply(update({ tick: 102 }));
  expect(view.acknowledged).toBe(7);
  view.apply(update({ tick: 103, scene: TOWN }));
  expect(view.acknowledged).toBe(0);
});

test("all kinds of flags come through, and unknown ones are passed over", () => {
  const { view, heard } = createTown();
  view.apply(
    update({
      tick: 101,
      flags: [
        { kind: { case: "map", value: { zone: "town", revision: 2 } } },
        { kind: { case: "client", value: {} } },
        { kind: { case: "drain", value: { stopsInMs: 5000 } } },
        { kind: { case: "slow", value: { percent: 50 } } },
        {},
      ],
      events: [{}],
    }),
  );
  expect(heard).toEqual(["flag map", "flag client", "flag drain", "flag slow", "tick 101"]);
});

test("custom events are decoded where their type is known", () => {
  const { view } = createTown();
  const types: string[] = [];
  view.onEvent((event) => event.case === "custom" && types.push(event.value.$typeName));
  const custom = [pack(CreatureSchema, { health: 1 }), pack(SignSchema, { text: "inn" })];
  view.apply(
    update({ tick: 101, events: custom.map((value) => ({ kind: { case: "custom", value } })) }),
  );
  expect(types).toEqual(["meadow.v1.Creature", "google.protobuf.Any"]);
});

test("what cannot be applied is counted and passed over", () => {
  const { view, heard } = createTown();
  view.apply(
    update({
      tick: 101,
      left: [90],
      moved: { ids: [91, 1, 2], xs: [256, 512], ys: [256, 512] },
      turned: { ids: [92], xs: [1], ys: [1] },
      changed: [{ id: 93, components: [pack(CreatureSchema, {})] }],
    }),
  );
  // Four unknown ids, and a column that is one item short.
  expect(view.problems).toBe(5);
  expect(heard).toEqual(["~ ada: position", "tick 101"]);
});

test("a scene of the same zone keeps those who are still in view", () => {
  const { view, heard } = createTown();
  const ada = view.self;
  view.apply(
    update({
      tick: 200,
      scene: TOWN,
      entities: [
        { id: 1, name: "ada", kind: EntityKind.CHARACTER, position: { x: 3, y: 1 } },
        { id: 3, name: "hen" },
      ],
    }),
  );
  expect(heard).toEqual(["- bob", "scene town", "+ hen", "~ ada: position", "tick 200"]);
  expect(view.self).toBe(ada);
});

test.each([
  ["another zone", { tick: 200, scene: { ...TOWN, zone: "cave" } }],
  ["a zone that began again", { tick: 3, scene: TOWN }],
])("in %s everybody is somebody else", (_, message) => {
  const { view, heard } = createTown();
  const ada = view.self;
  const entities = [{ id: 1, name: "ada", kind: EntityKind.CHARACTER }];
  view.apply(update({ ...message, entities }));
  const scene = `scene ${message.scene.zone}`;
  expect(heard).toEqual(["- ada", "- bob", scene, "+ ada", `tick ${message.tick}`]);
  expect(view.self).not.toBe(ada);
});

test("an id under another name is somebody else", () => {
  const { view, heard } = createTown();
  view.apply(update({ tick: 101, scene: TOWN, entities: [{ id: 1, name: "cleo" }] }));
  expect(heard).toEqual(["- bob", "- ada", "scene town", "+ cleo", "tick 101"]);
});

test("a listener that throws is reported and harms neither the view nor the others", () => {
  const errors: unknown[] = [];
  const view = createWorldView({ onListenerError: (error) => errors.push(error) });
  view.onAdd(() => {
    throw new Error("mine");
  });
  const heard = listen(view);
  view.apply(update({ tick: 1, scene: TOWN, entities: [{ id: 1, name: "ada" }] }));
  expect(errors).toHaveLength(1);
  expect(heard).toEqual(["scene town", "+ ada", "tick 1"]);
});

/** How far a view is off the model at most, in tiles; infinitely where it differs in anything else. */
function errorOf(view: WorldView, model: ModelWorld): number {
  const errors = [...model.entities].map(([id, entity]) => {
    const { position, velocity, get } = view.entities.get(id) ?? {};
    const isSame =
      velocity?.x === Math.round(entity.vx * 256) / 256 &&
      velocity.y === Math.round(entity.vy * 256) / 256 &&
      get?.(CreatureSchema)?.health === entity.health;
    return position && isSame ? Math.hypot(position.x - entity.x, position.y - entity.y) : Infinity;
  });
  return view.entities.size === model.entities.size ? Math.max(0, ...errors) : Infinity;
}

/** Keeps a copy of a view's positions by listening alone. */
function followPositions(view: WorldView): ReadonlyMap<number, Point> {
  const followed = new Map<number, Point>();
  view.onAdd(({ id, position }) => followed.set(id, position));
  view.onChange(({ id, position }, changes) => changes.position && followed.set(id, position));
  view.onRemove(({ id }) => followed.delete(id));
  return followed;
}

test("whatever happens, the view shows what the server has, and listeners can follow", () => {
  const anyOrigin = fc.integer({ min: -9_999, max: 9_999 });
  fc.assert(
    fc.property(fc.array(anyModelStep, { maxLength: 30 }), anyOrigin, (steps, origin) => {
      const model = createModelWorld(origin);
      const view = createWorldView({ components: [CreatureSchema] });
      const followed = followPositions(view);
      for (const step of steps) {
        const message = model.step(step);
        if (message === undefined) continue;
        view.apply(message);
        expect(errorOf(view, model)).toBeLessThanOrEqual(1 / 128);
        const positions = [...view.entities].map(([id, { position }]) => [id, position] as const);
        expect(Object.fromEntries(followed)).toEqual(Object.fromEntries(positions));
        expect(view.problems).toBe(0);
      }
    }),
  );
});
