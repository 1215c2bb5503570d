import type { Entity } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type {
  EntityChange,
  Motion,
  UpdateResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { typeNameOf } from "./components.ts";
import type { Unpack } from "./components.ts";
import { createEntityRecord } from "./entity.ts";
import type { EntityChanges, EntityRecord, WorldEntity } from "./entity.ts";
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

/** The entities in view, as the messages of a stream leave them. */
export interface EntityTable {
  readonly entities: ReadonlyMap<number, WorldEntity>;
  /** Applies a message. `isSameRun`: a scene in it counts its ids from the same run of the same zone as before. */
  apply(response: UpdateResponse, isSameRun: boolean): EntityBatch;
}

interface OpenBatch extends EntityBatch {
  readonly removed: WorldEntity[];
  readonly added: WorldEntity[];
  readonly changed: Map<WorldEntity, EntityChanges>;
}

/** Creates an empty table. `onProblem` is told of each part of a message that is passed over. */
export function createEntityTable(unpack: Unpack, onProblem: () => void): EntityTable {
  const records = new Map<number, EntityRecord>();
  const entities = new Map<number, WorldEntity>();

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
      return known.replace(full, changesOf(batch, known.entity));
    }
    if (known) remove(full.id, batch);
    const record = createEntityRecord(full, unpack, onProblem);
    records.set(full.id, record);
    entities.set(full.id, record.entity);
    batch.added.push(record.entity);
  };

  const move = (motion: Motion, kind: "position" | "velocity", batch: OpenBatch): void => {
    motion.ids.forEach((id, index) => {
      const record = records.get(id);
      const point = pointAt(motion, index);
      if (record === undefined || point === undefined) return onProblem();
      const isChanged = kind === "position" ? record.place(point) : record.turn(point);
      if (isChanged) changesOf(batch, record.entity)[kind] = true;
    });
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
      const batch: OpenBatch = { removed: [], added: [], changed: new Map() };
      if (response.scene) {
        keepOnly(new Set(isSameRun ? response.entities.map(({ id }) => id) : []), batch);
      }
      for (const id of response.left) remove(id, batch);
      for (const full of response.entities) put(full, batch);
      if (response.moved) move(response.moved, "position", batch);
      if (response.turned) move(response.turned, "velocity", batch);
      for (const entityChange of response.changed) change(entityChange, batch);
      return { ...batch, changed: settled(batch) };
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
