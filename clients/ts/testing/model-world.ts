import * as fc from "fast-check";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import type { UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { pack, TOWN, update } from "./messages.ts";

/** An entity of the model; lengths in 1/256 tile. */
export interface ModelEntity {
  x: number;
  y: number;
  vx: number;
  health: number;
}

/** What happens in one tick. Numbers that stand for an entity pick it by its place among those there are. */
export interface ModelStep {
  readonly kind: "diff" | "scene" | "zone";
  readonly enter: number;
  readonly leave: readonly number[];
  readonly move: readonly (readonly [number, number])[];
  readonly turn: readonly (readonly [number, number])[];
  readonly hurt: readonly (readonly [number, number])[];
}

const pairs = (min: number, max: number): fc.Arbitrary<[number, number][]> =>
  fc.array(fc.tuple(fc.nat(), fc.integer({ min, max })), { maxLength: 4 });

/** Any step; two of three are ordinary messages without a scene. */
export const anyModelStep: fc.Arbitrary<ModelStep> = fc.record({
  kind: fc.constantFrom("diff", "diff", "diff", "diff", "scene", "zone"),
  enter: fc.nat(3),
  leave: fc.array(fc.nat(), { maxLength: 2 }),
  move: pairs(-1e6, 1e6),
  turn: pairs(-5_000, 5_000),
  hurt: pairs(0, 99),
});

/** The server's side of a view in a few lines: entities, and the messages that tell of them. */
export interface ModelWorld {
  readonly entities: ReadonlyMap<number, ModelEntity>;
  /** Carries a step out, and answers the message that tells of it. */
  step(step: ModelStep): UpdateResponse;
}

/** Creates an empty model. `origin` is what its columns count from. */
export function createModelWorld(origin: number): ModelWorld {
  const entities = new Map<number, ModelEntity>();
  let tick = 0;
  let zone = 0;
  let nextId = 1;
  const pick = (n: number): number | undefined => [...entities.keys()][n % (entities.size || 1)];

  const leave = (places: readonly number[]): number[] =>
    places.flatMap((n) => {
      const id = pick(n);
      return id !== undefined && entities.delete(id) ? [id] : [];
    });

  const enter = (count: number): Set<number> => {
    const entered = new Set<number>();
    for (; entered.size < count; nextId++) {
      entities.set(nextId, { x: nextId * 100, y: -nextId, vx: 0, health: nextId });
      entered.add(nextId);
    }
    return entered;
  };

  /** Sets one property of entities; answers those that it touched and that a message has to name. */
  const change = (
    changes: ModelStep["move"],
    property: "x" | "vx" | "health",
    entered: ReadonlySet<number>,
  ): [number, ModelEntity][] => {
    const touched = new Map<number, ModelEntity>();
    for (const [n, value] of changes) {
      const id = pick(n);
      const entity = id === undefined ? undefined : entities.get(id);
      if (id === undefined || entity === undefined) continue;
      entity[property] = value;
      if (!entered.has(id)) touched.set(id, entity);
    }
    return [...touched];
  };

  return {
    entities,
    step({ kind, ...step }) {
      const isWhole = tick === 0 || kind !== "diff";
      if (kind === "zone") {
        zone++;
        nextId = 1;
        entities.clear();
      }
      const left = leave(step.leave);
      const entered = enter(step.enter);
      const moved = change(step.move, "x", entered);
      const turned = change(step.turn, "vx", entered);
      const hurt = change(step.hurt, "health", entered);
      tick++;
      if (isWhole) {
        const scene = { ...TOWN, zone: `zone ${zone}` };
        return update({ tick, scene, entities: [...entities].map(fullForm) });
      }
      return update({
        tick,
        left,
        entities: [...entities].filter(([id]) => entered.has(id)).map(fullForm),
        moved: {
          ids: moved.map(([id]) => id),
          originX: origin,
          xs: moved.map(([, { x }]) => x - origin),
          ys: moved.map(([, { y }]) => y),
        },
        turned: {
          ids: turned.map(([id]) => id),
          xs: turned.map(([, { vx }]) => vx),
          ys: turned.map(() => 0),
        },
        changed: hurt.map(([id, { health }]) => ({
          id,
          components: [pack(CreatureSchema, { health })],
        })),
      });
    },
  };
}

function fullForm([id, { x, y, vx, health }]: [number, ModelEntity]) {
  return {
    id,
    name: `entity ${id}`,
    position: { x: x / 256, y: y / 256 },
    velocity: { x: vx / 256 },
    components: [pack(CreatureSchema, { health })],
  };
}
