import { isDeepStrictEqual } from "node:util";
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { getOption } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Baseline } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { attribute, Visibility } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { SceneSchema, UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Motion, UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MessageExtras } from "../../server/sim/viewer.ts";
import type { Zone } from "../../server/sim/zone.ts";
import { testTypes } from "./sim.ts";

/** How far a client may take an entity to be from where it is, in tiles: so world_service.proto promises. */
export const TOLERANCE_TILES = 1 / 128;

/** An entity as a client holds it: in tiles and tiles a second, components by type as hex. */
export interface SeenEntity {
  readonly id: number;
  readonly name: string;
  readonly kind: EntityKind;
  x: number;
  y: number;
  vx: number;
  vy: number;
  readonly components: Record<string, string>;
}

/** What a client holds, by id. */
export type Seen = Map<number, SeenEntity>;

/** Extras for a message that carries nothing else. */
export const plainExtras: MessageExtras = {
  flags: [],
  acknowledged: 0,
  refused: [],
  scene: () => toBinary(SceneSchema, create(SceneSchema, { zone: "test", tickRateHz: 10 })),
  force: false,
};

/** A client that follows the rules in world_service.proto by the generated types, and nothing else. */
export function createViewClient() {
  const seen: Seen = new Map();
  const baselines = new Map<number, Baseline>();
  const events: string[] = [];
  let cursor = "";
  let tick = 0;
  let tickRateHz = 0;

  function apply(bytes: Uint8Array): UpdateResponse {
    // A copy, since what was read goes on using its bytes, and a viewer writes over them.
    const update = fromBinary(UpdateResponseSchema, bytes.slice());
    if (update.scene) {
      seen.clear();
      ({ tickRateHz } = update.scene);
    } else if (update.tick > tick) {
      // A turn counts from the tick before, so the last step is one with the new velocity.
      reckon(update.tick - 1);
      eachMotion(update.turned, (id, vx, vy) => Object.assign(known(id), { vx, vy }));
      reckon(update.tick);
    }
    tick = update.tick;
    for (const one of update.baselines) baselines.set(one.number, one);
    for (const entity of update.entities) {
      const { id, name, position, velocity } = entity;
      const { kind, components } = entity.baseline === 0 ? entity : knownBaseline(entity.baseline);
      seen.set(id, {
        id,
        name,
        kind,
        x: position?.x ?? 0,
        y: position?.y ?? 0,
        vx: velocity?.x ?? 0,
        vy: velocity?.y ?? 0,
        components: Object.fromEntries(components.map(hexOf)),
      });
    }
    eachMotion(update.moved, (id, x, y) => Object.assign(known(id), { x, y }));
    eachMotion(update.turned, (id, vx, vy) => Object.assign(known(id), { vx, vy }));
    for (const { id, components } of update.changed) {
      Object.assign(known(id).components, Object.fromEntries(components.map(hexOf)));
    }
    for (const id of update.left) {
      known(id);
      seen.delete(id);
    }
    for (const { kind } of update.events) if (kind.case === "notice") events.push(kind.value);
    cursor = update.cursor;
    return update;
  }

  function knownBaseline(number: number): Baseline {
    const baseline = baselines.get(number);
    if (!baseline) throw new Error(`the stream never told baseline ${number}`);
    return baseline;
  }

  /** Lets everybody go on as they do, up to a tick of which there need be no message. */
  function reckon(to: number): void {
    const ticks = to - tick;
    tick = to;
    for (const entity of seen.values()) {
      entity.x += (entity.vx * ticks) / tickRateHz;
      entity.y += (entity.vy * ticks) / tickRateHz;
    }
  }

  function known(id: number): SeenEntity {
    const entity = seen.get(id);
    if (!entity) throw new Error(`the stream speaks of ${id}, which is not in view`);
    return entity;
  }

  return {
    seen,
    events,
    apply,
    reckon,
    get cursor() {
      return cursor;
    },
  };
}

function eachMotion(
  motion: Motion | undefined,
  visit: (id: number, x: number, y: number) => void,
): void {
  motion?.ids.forEach((id, i) => {
    const x = motion.originX + (motion.xs[i] ?? NaN);
    const y = motion.originY + (motion.ys[i] ?? NaN);
    visit(id, x / 256, y / 256);
  });
}

function hexOf({ typeUrl, value }: Any): [string, string] {
  return [typeUrl.replace(/^.*\//, ""), Buffer.from(value).toString("hex")];
}

/** What a character is to see: entities that it must, and others at the rim that it may. */
export interface ExpectedView {
  readonly seen: Seen;
  readonly rim: ReadonlySet<number>;
}

/**
 * What a character is to see, from the entities' full states by a filter of its own: it shares neither the
 * viewer's code nor its tables.
 */
export function expectedView(
  zone: Zone,
  names: Iterable<string>,
  character: string,
  radius: number,
): ExpectedView {
  const seen: Seen = new Map();
  const rim = new Set<number>();
  const self = zone.stateOf(character)?.entity.position;
  if (!self) return { seen, rim };
  for (const name of names) {
    const entity = zone.stateOf(name)?.entity;
    if (!entity) continue;
    const { x = NaN, y = NaN } = entity.position ?? {};
    const distance = Math.hypot(x - self.x, y - self.y);
    if (distance > radius + RIM_TILES) continue;
    const components: Record<string, string> = {};
    const owner = entity.kind === EntityKind.CHARACTER ? name : ownerOf(entity.components);
    for (const any of entity.components) {
      const visible = visiblePart(any, owner === character);
      if (visible) components[visible[0]] = visible[1];
    }
    const { id, kind, velocity } = entity;
    const { x: vx = 0, y: vy = 0 } = velocity ?? {};
    seen.set(id, { id, name, kind, x, y, vx, vy, components });
    if (distance > radius - RIM_TILES) rim.add(id);
  }
  return { seen, rim };
}

/** Both ends of a distance may be off. */
const RIM_TILES = 3 * TOLERANCE_TILES;
/** Velocities that differ by less are one course. */
const VELOCITY_TOLERANCE_TILES_PER_S = 3 / 256;

/** What a client holds against what it is to: empty when it is right. */
export function differences(client: Seen, { seen, rim }: ExpectedView): unknown[] {
  const found: unknown[] = [];
  for (const id of client.keys()) if (!seen.has(id)) found.push({ id, unexpected: client.get(id) });
  for (const [id, { x, y, vx, vy, ...rest }] of seen) {
    const held = client.get(id);
    if (!held) {
      if (!rim.has(id)) found.push({ id, missing: rest });
      continue;
    }
    const { x: hx, y: hy, vx: hvx, vy: hvy, ...heldRest } = held;
    const isNear =
      Math.abs(hx - x) <= TOLERANCE_TILES &&
      Math.abs(hy - y) <= TOLERANCE_TILES &&
      Math.abs(hvx - vx) <= VELOCITY_TOLERANCE_TILES_PER_S &&
      Math.abs(hvy - vy) <= VELOCITY_TOLERANCE_TILES_PER_S;
    if (!isNear || !isDeepStrictEqual(heldRest, rest))
      found.push({ id, held, expected: seen.get(id) });
  }
  return found;
}

function ownerOf(components: readonly Any[]): string {
  for (const any of components) {
    const body = anyUnpack(any, BodySchema);
    if (body) return body.owner;
  }
  return "";
}

function visiblePart(any: Any, isOwner: boolean): [string, string] | undefined {
  const message = anyUnpack(any, testTypes.registry);
  const schema = message && testTypes.registry.getMessage(message.$typeName);
  if (!message || !schema) return undefined;
  const view = reflect(schema, message);
  let sees = false;
  for (const field of schema.fields) {
    const { visible } = getOption(field, attribute);
    const allowed =
      visible === Visibility.NEAR ||
      (isOwner && (visible === Visibility.OWNER || visible === Visibility.PARTY));
    sees ||= allowed;
    if (!allowed) view.clear(field);
  }
  return sees
    ? [schema.typeName, Buffer.from(toBinary(schema, view.message)).toString("hex")]
    : undefined;
}

/** The names of all entities, asked of the table. */
export function namesIn(zone: Zone): string[] {
  const { table } = zone;
  return Array.from({ length: table.limit }, (_, slot) => slot)
    .filter((slot) => table.ids[slot] !== 0)
    .map((slot) => table.names[slot] ?? "");
}
