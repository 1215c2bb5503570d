import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CreatureSchema, SignSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { pack, TOWN, update } from "./testing/messages.ts";
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
  expect(heard).toEqual(["~ ada: position", "~ bob: position velocity", "tick 101"]);
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

interface ModelEntity {
  x: number;
  y: number;
  vx: number;
  health: number;
}

const step = fc.record({
  kind: fc.constantFrom("diff", "diff", "diff", "scene", "zone"),
  add: fc.nat(3),
  remove: fc.array(fc.nat(), { maxLength: 2 }),
  move: fc.array(fc.tuple(fc.nat(), fc.integer({ min: -1e6, max: 1e6 })), { maxLength: 5 }),
  turn: fc.array(fc.tuple(fc.nat(), fc.integer({ min: -5000, max: 5000 })), { maxLength: 3 }),
  hurt: fc.array(fc.tuple(fc.nat(), fc.nat(99)), { maxLength: 3 }),
});

test("whatever happens, the view shows what the server's side has, and listeners can follow", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: -9999, max: 9999 }),
      (steps, origin) => {
        const model = new Map<number, ModelEntity>();
        const view = createWorldView({ components: [CreatureSchema] });
        const followed = new Map<number, string>();
        const follow = (id: number): void =>
          void followed.set(id, JSON.stringify(view.entities.get(id)?.position));
        view.onAdd(({ id }) => follow(id));
        view.onChange(({ id }, { position }) => position && follow(id));
        view.onRemove(({ id }) => void followed.delete(id));

        let nextId = 1;
        let zone = 0;
        const fullForm = ([id, { x, y, vx, health }]: [number, ModelEntity]) => ({
          id,
          name: `e${id}`,
          position: { x: x / 256, y: y / 256 },
          velocity: { x: vx / 256 },
          components: [pack(CreatureSchema, { health })],
        });
        steps.forEach(({ kind, add, remove, move, turn, hurt }, index) => {
          const isWhole = index === 0 || kind !== "diff";
          if (kind === "zone") {
            zone++;
            nextId = 1;
            model.clear();
          }
          const pick = (n: number): number | undefined => [...model.keys()][n % (model.size || 1)];
          const left = new Set<number>();
          for (const n of remove) {
            const id = pick(n);
            if (id !== undefined && model.delete(id)) left.add(id);
          }
          const entered = new Set<number>();
          for (let count = 0; count < add; count++) {
            entered.add(nextId);
            model.set(nextId, { x: nextId * 100, y: -nextId, vx: 0, health: nextId });
            nextId++;
          }
          const touched = {
            moved: new Set<number>(),
            turned: new Set<number>(),
            hurt: new Set<number>(),
          };
          const change = (
            n: number,
            name: keyof typeof touched,
            set: (e: ModelEntity) => void,
          ): void => {
            const id = pick(n);
            const entity = id === undefined ? undefined : model.get(id);
            if (id === undefined || !entity) return;
            set(entity);
            if (!entered.has(id)) touched[name].add(id);
          };
          for (const [n, x] of move) change(n, "moved", (e) => (e.x = x));
          for (const [n, vx] of turn) change(n, "turned", (e) => (e.vx = vx));
          for (const [n, health] of hurt) change(n, "hurt", (e) => (e.health = health));
          const column = (ids: Set<number>, read: (e: ModelEntity) => number): number[] =>
            [...ids].map((id) => read(model.get(id) as ModelEntity));
          view.apply(
            update(
              isWhole
                ? {
                    tick: index,
                    scene: { ...TOWN, zone: `z${zone}` },
                    entities: [...model].map(fullForm),
                  }
                : {
                    tick: index,
                    left: [...left],
                    entities: [...model].filter(([id]) => entered.has(id)).map(fullForm),
                    moved: {
                      ids: [...touched.moved],
                      originX: origin,
                      xs: column(touched.moved, (e) => e.x - origin),
                      ys: column(touched.moved, (e) => e.y),
                    },
                    turned: {
                      ids: [...touched.turned],
                      xs: column(touched.turned, (e) => e.vx),
                      ys: column(touched.turned, () => 0),
                    },
                    changed: [...touched.hurt].map((id) => ({
                      id,
                      components: [pack(CreatureSchema, { health: model.get(id)?.health ?? 0 })],
                    })),
                  },
            ),
          );
          const shown = [...view.entities.values()].map((entity) => [
            entity.id,
            entity.position.x * 256,
            entity.position.y * 256,
            entity.velocity.x * 256,
            entity.get(CreatureSchema)?.health,
          ]);
          const expected = [...model].map(([id, e]) => [id, e.x, e.y, e.vx, e.health]);
          const byId = (a: (number | undefined)[], b: (number | undefined)[]): number =>
            (a[0] ?? 0) - (b[0] ?? 0);
          expect(shown.sort(byId)).toEqual(expected.sort(byId));
          const positions = [...view.entities.values()].map((e) => [
            e.id,
            JSON.stringify(e.position),
          ]);
          expect(Object.fromEntries(followed)).toEqual(Object.fromEntries(positions));
          expect(view.problems).toBe(0);
        });
      },
    ),
  );
});
