import * as fc from "fast-check";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import type { UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { pack, TOWN, update } from "./messages.ts";

const TICK_RATE_HZ = 10;
/** How far off a client's reckoning may be before it is told the position, in tiles. */
const TOLERANCE_TILES = 1 / 256;

/** An entity of the model; lengths in tiles, not rounded. */
export interface ModelEntity {
  x: number;
  y: number;
  vx: number;
  vy: number;
  health: number;
}

/** What happens in one step. Numbers that stand for an entity pick it by its place among those there are. */
export interface ModelStep {
  readonly kind: "diff" | "scene" | "zone";
  /** How many ticks it takes; whatever happens besides going on happens in the last one. */
  readonly ticks: number;
  /** The message about it is left out: the next one has to tell. */
  readonly isLeftOut: boolean;
  readonly enter: number;
  readonly leave: readonly number[];
  /** Places, which do not change the velocity. */
  readonly leap: readonly Pick2[];
  /** Offsets, which end a walk. */
  readonly stride: readonly Pick2[];
  /** Velocities. */
  readonly turn: readonly Pick2[];
  readonly hurt: readonly Pick2[];
}

/** Who, and two numbers. */
type Pick2 = readonly [who: number, a: number, b: number];

/** Up to four times who and two numbers, in thousandths: nothing that 1/256 would hold exactly. */
const picks = (max: number): fc.Arbitrary<Pick2[]> => {
  const number = fc.integer({ min: -max * 1_000, max: max * 1_000 }).map((n) => n / 1_000);
  return fc.array(fc.tuple(fc.nat(), number, number), { maxLength: 4 });
};

/** Any step; most are ordinary messages without a scene. */
export const anyModelStep: fc.Arbitrary<ModelStep> = fc.record({
  kind: fc.constantFrom("diff", "diff", "diff", "diff", "diff", "diff", "scene", "zone"),
  ticks: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 50 })),
  isLeftOut: fc.constantFrom(false, false, false, true),
  enter: fc.nat(3),
  leave: fc.array(fc.nat(), { maxLength: 2 }),
  leap: fc.oneof(fc.constant([]), picks(4_000)),
  stride: picks(1.5),
  turn: fc.oneof(
    picks(20),
    picks(20),
    fc.nat().map((who): Pick2[] => [[who, 0, 0]]),
  ),
  hurt: picks(99),
});

/** The server's side of a view in a few lines: entities, and the messages that tell of them. */
export interface ModelWorld {
  readonly entities: ReadonlyMap<number, ModelEntity>;
  /** Carries a step out, and answers the message that tells of it, unless that is left out. */
  step(step: ModelStep): UpdateResponse | undefined;
}

/** Creates an empty model. `origin` is what its columns count from, in 1/256 tile. */
export function createModelWorld(origin: number): ModelWorld {
  const entities = new Map<number, ModelEntity>();
  /** What the client has, as it reckons; undefined when the next message begins afresh. */
  let told: Map<number, ModelEntity> | undefined;
  let tick = 0;
  let toldTick = 0;
  let zone = 0;
  let nextId = 1;

  const picked = (list: readonly Pick2[]): [ModelEntity, number, number][] =>
    list.flatMap(([who, a, b]) => {
      const entity = [...entities.values()][who % (entities.size || 1)];
      return entity ? [[entity, a, b] as [ModelEntity, number, number]] : [];
    });

  const passTick = (step?: ModelStep): void => {
    tick++;
    for (const [entity, vx, vy] of picked(step?.turn ?? [])) Object.assign(entity, { vx, vy });
    for (const entity of entities.values()) goOn(entity);
    if (!step) return;
    for (const [entity, dx, dy] of picked(step.stride)) {
      const { x, y } = entity;
      Object.assign(entity, { x: x + dx, y: y + dy, vx: 0, vy: 0 });
    }
    for (const [entity, x, y] of picked(step.leap)) Object.assign(entity, { x, y });
    for (const [entity, health] of picked(step.hurt)) entity.health = Math.round(health);
  };

  const leave = (places: readonly number[]): void => {
    for (const n of places) {
      const id = [...entities.keys()][n % (entities.size || 1)];
      if (id !== undefined) entities.delete(id);
    }
  };

  const enter = (count: number): void => {
    for (const end = nextId + count; nextId < end; nextId++) {
      entities.set(nextId, { x: nextId / 3, y: -nextId, vx: nextId / 7, vy: 0, health: nextId });
    }
  };

  /** What changed for the client, whom this takes for told. */
  const difference = (known: Map<number, ModelEntity>): UpdateResponse => {
    const left = [...known.keys()].filter((id) => !entities.has(id));
    for (const id of left) known.delete(id);
    const entered = [...entities].filter(([id]) => !known.has(id));
    const moved: [number, ModelEntity][] = [];
    const turned: [number, ModelEntity][] = [];
    const hurt: [number, ModelEntity][] = [];
    for (const [id, client] of known) {
      const entity = entities.get(id);
      if (!entity) continue;
      for (let at = toldTick; at < tick - 1; at++) goOn(client);
      const [vx, vy] = [rounded(entity.vx), rounded(entity.vy)];
      if (client.vx !== vx || client.vy !== vy) turned.push([id, entity]);
      Object.assign(client, { vx, vy });
      goOn(client);
      if (
        Math.max(Math.abs(client.x - entity.x), Math.abs(client.y - entity.y)) > TOLERANCE_TILES
      ) {
        moved.push([id, entity]);
        Object.assign(client, { x: rounded(entity.x), y: rounded(entity.y) });
      }
      if (client.health !== entity.health) hurt.push([id, entity]);
      client.health = entity.health;
    }
    for (const [id, entity] of entered) known.set(id, copyOf(entity));
    return update({
      tick,
      left,
      entities: entered.map(fullForm),
      moved: {
        ids: moved.map(([id]) => id),
        originX: origin,
        xs: moved.map(([, { x }]) => units(x) - origin),
        ys: moved.map(([, { y }]) => units(y)),
      },
      turned: {
        ids: turned.map(([id]) => id),
        xs: turned.map(([, { vx }]) => units(vx)),
        ys: turned.map(([, { vy }]) => units(vy)),
      },
      changed: hurt.map(([id, { health }]) => ({
        id,
        components: [pack(CreatureSchema, { health })],
      })),
    });
  };

  const everything = (): UpdateResponse => {
    told = new Map([...entities].map(([id, entity]) => [id, copyOf(entity)]));
    const scene = { ...TOWN, tickRateHz: TICK_RATE_HZ, zone: `zone ${zone}` };
    return update({ tick, scene, entities: [...entities].map(fullForm) });
  };

  return {
    entities,
    step(step) {
      if (step.kind === "zone") {
        zone++;
        nextId = 1;
        entities.clear();
      }
      if (step.kind !== "diff") told = undefined;
      for (let passed = 1; passed < step.ticks; passed++) passTick();
      passTick(step);
      leave(step.leave);
      enter(step.enter);
      if (step.isLeftOut) return undefined;
      const message = told ? difference(told) : everything();
      toldTick = tick;
      return message;
    },
  };
}

function goOn(entity: ModelEntity): void {
  entity.x += entity.vx / TICK_RATE_HZ;
  entity.y += entity.vy / TICK_RATE_HZ;
}

function units(tiles: number): number {
  return Math.round(tiles * 256);
}

function rounded(tiles: number): number {
  return units(tiles) / 256;
}

/** An entity as a full form tells of it: only the velocity is rounded. */
function copyOf(entity: ModelEntity): ModelEntity {
  return { ...entity, vx: rounded(entity.vx), vy: rounded(entity.vy) };
}

function fullForm([id, entity]: [number, ModelEntity]) {
  const { x, y, vx, vy, health } = copyOf(entity);
  return {
    id,
    name: `entity ${id}`,
    position: { x, y },
    velocity: { x: vx, y: vy },
    components: [pack(CreatureSchema, { health })],
  };
}
