import type { Entity } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type {
  EntityChange,
  Motion,
  UpdateResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { typeNameOf } from "./components.ts";
import type { Unpack } from "./components.ts";
import { tickRateOf } from "./course.ts";
import { createEntityRecord } from "./entity.ts";
import type { EntityChanges, EntityRecord, Moment, WorldEntity } from "./entity.ts";
import type { Point } from "./value.ts";

/** Units of `Motion` in a tile. */
const UNITS_PER_TILE = 256;

/** What one message did to the entities. */
export interface EntityBatch {
  readonly removed: readonly WorldEntity[];
  readonly added: readonly WorldEntity[];
  /** Entities that were in view before and are still. */
  readonly changed: ReadonlyMap<WorldEntity, EntityChanges>;
}

/**
 * The entities in view at the tick of the newest message: what a message does not speak of goes on by its
 * velocity, from where it was, for as many ticks as have passed.
 */
export interface EntityTable {
  readonly entities: ReadonlyMap<number, WorldEntity>;
  /** Applies a message. `isSameRun`: a scene in it counts its ids from the same run of the same zone as before. */
  apply(response: UpdateResponse, isSameRun: boolean): EntityBatch;
}

interface OpenBatch extends EntityBatch {
  readonly moment: Moment;
  readonly removed: WorldEntity[];
  readonly added: WorldEntity[];
  readonly changed: Map<WorldEntity, EntityChanges>;
}

/** Creates an empty table. `onProblem` is told of each part of a message that is passed over. */
export function createEntityTable(unpack: Unpack, onProblem: () => void): EntityTable {
  const records = new Map<number, EntityRecord>();
  const entities = new Map<number, WorldEntity>();
  let rateHz = tickRateOf(undefined);

  const remove = (id: number, batch: OpenBatch): void => {
    const record = records.get(id);
    if (record === undefined) return onProblem();
    records.delete(id);
    entities.delete(id);
    batch.removed.push(record.entity);
  };

  const put = (full: Entity, batch: OpenBatch): void => {
    const known = records.get(full.id);
    if (known && isSame(known.entity, full)) {
      return known.replace(full, batch.moment.tick, changesOf(batch, known.entity));
    }
    if (known) remove(full.id, batch);
    const record = createEntityRecord(full, batch.moment.tick, unpack, onProblem);
    records.set(full.id, record);
    entities.set(full.id, record.entity);
    batch.added.push(record.entity);
  };

  const readMotion = (
    motion: Motion | undefined,
    use: (record: EntityRecord, point: Point) => void,
  ): void => {
    motion?.ids.forEach((id, index) => {
      const record = records.get(id);
      const point = pointAt(motion, index);
      if (record === undefined || point === undefined) onProblem();
      else use(record, point);
    });
  };

  const goOn = (batch: OpenBatch): void => {
    for (const record of records.values()) {
      if (record.goOn(batch.moment)) changesOf(batch, record.entity).position = true;
    }
  };

  const change = ({ id, components }: EntityChange, batch: OpenBatch): void => {
    const record = records.get(id);
    if (record === undefined) return onProblem();
    for (const any of components) {
      if (record.setComponent(any)) changesOf(batch, record.entity).components.add(typeNameOf(any));
    }
  };

  const keepOnly = (kept: ReadonlySet<number>, batch: OpenBatch): void => {
    for (const id of records.keys()) if (!kept.has(id)) remove(id, batch);
  };

  return {
    entities,
    apply(response, isSameRun) {
      if (response.scene) rateHz = tickRateOf(response.scene);
      const moment = { tick: response.tick, rateHz };
      const batch: OpenBatch = { removed: [], added: [], changed: new Map(), moment };
      if (response.scene) {
        keepOnly(new Set(isSameRun ? response.entities.map(({ id }) => id) : []), batch);
      }
      for (const id of response.left) remove(id, batch);
      for (const full of response.entities) put(full, batch);
      readMotion(response.turned, (record, velocity) => {
        if (record.turn(velocity, moment)) changesOf(batch, record.entity).velocity = true;
      });
      // After the turns: a position is right whichever way the entity came there.
      readMotion(response.moved, (record, position) => record.place(position, moment));
      goOn(batch);
      for (const entityChange of response.changed) change(entityChange, batch);
      return { removed: batch.removed, added: batch.added, changed: settled(batch) };
    },
  };
}

function changesOf(batch: OpenBatch, entity: WorldEntity): EntityChanges {
  let changes = batch.changed.get(entity);
  if (changes === undefined) {
    changes = { position: false, velocity: false, components: new Set() };
    batch.changed.set(entity, changes);
  }
  return changes;
}

// A full form may bring nothing new, and who has just come into view has not changed.
function settled(batch: OpenBatch): Map<WorldEntity, EntityChanges> {
  const added = new Set(batch.added);
  const isReal = ([entity, changes]: [WorldEntity, EntityChanges]): boolean =>
    !added.has(entity) && (changes.position || changes.velocity || changes.components.size > 0);
  return new Map([...batch.changed].filter(isReal));
}

// Should a server begin a zone again without the tick showing it, another name or kind still does.
function isSame(entity: WorldEntity, full: Entity): boolean {
  return entity.name === full.name && entity.kind === full.kind;
}

function pointAt(motion: Motion, index: number): Point | undefined {
  const x = motion.xs[index];
  const y = motion.ys[index];
  const z = motion.zs.length === 0 ? 0 : motion.zs[index];
  if (x === undefined || y === undefined || z === undefined) return undefined;
  return {
    x: (motion.originX + x) / UNITS_PER_TILE,
    y: (motion.originY + y) / UNITS_PER_TILE,
    z: z / UNITS_PER_TILE,
  };
}
