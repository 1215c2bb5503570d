import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { getOption } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { attribute, Visibility } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { SceneSchema, UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Motion, UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MessageExtras } from "../../server/sim/viewer.ts";
import type { Zone } from "../../server/sim/zone.ts";
import { testTypes } from "./sim.ts";

/** An entity as a client holds it: numbers in units of the wire, components by type as hex. */
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
  scene: () => toBinary(SceneSchema, create(SceneSchema, { zone: "test" })),
  force: false,
};

/** A client that follows the rules in world_service.proto by the generated types, and nothing else. */
export function createViewClient() {
  const seen: Seen = new Map();
  const events: string[] = [];
  let cursor = "";

  function apply(bytes: Uint8Array): UpdateResponse {
    const update = fromBinary(UpdateResponseSchema, bytes);
    if (update.scene) seen.clear();
    for (const { id, name, kind, position, velocity, components } of update.entities) {
      seen.set(id, {
        id,
        name,
        kind,
        x: (position?.x ?? 0) * 256,
        y: (position?.y ?? 0) * 256,
        vx: (velocity?.x ?? 0) * 256,
        vy: (velocity?.y ?? 0) * 256,
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

  function known(id: number): SeenEntity {
    const entity = seen.get(id);
    if (!entity) throw new Error(`the stream speaks of ${id}, which is not in view`);
    return entity;
  }

  return {
    seen,
    events,
    apply,
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
    visit(id, motion.originX + (motion.xs[i] ?? NaN), motion.originY + (motion.ys[i] ?? NaN));
  });
}

function hexOf({ typeUrl, value }: Any): [string, string] {
  return [typeUrl.replace(/^.*\//, ""), Buffer.from(value).toString("hex")];
}

/**
 * What a character is to see, from the entities' full states by a filter of its own: it shares neither the
 * viewer's code nor its tables. Distances are between positions as the wire rounds them.
 */
export function expectedView(
  zone: Zone,
  names: Iterable<string>,
  character: string,
  radius: number,
): Seen {
  const seen: Seen = new Map();
  const self = zone.stateOf(character)?.entity.position;
  if (!self) return seen;
  // Adding 0 makes 0 of -0.
  const units = (tiles = 0) => Math.round(tiles * 256) + 0;
  for (const name of names) {
    const entity = zone.stateOf(name)?.entity;
    if (!entity) continue;
    const x = units(entity.position?.x);
    const y = units(entity.position?.y);
    const dx = x - units(self.x);
    const dy = y - units(self.y);
    if (dx * dx + dy * dy > (radius * 256) ** 2) continue;
    const components: Record<string, string> = {};
    const owner = entity.kind === EntityKind.CHARACTER ? name : ownerOf(entity.components);
    for (const any of entity.components) {
      const visible = visiblePart(any, owner === character);
      if (visible) components[visible[0]] = visible[1];
    }
    const { id, kind, velocity } = entity;
    seen.set(id, {
      id,
      name,
      kind,
      x,
      y,
      vx: units(velocity?.x),
      vy: units(velocity?.y),
      components,
    });
  }
  return seen;
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

/** Two views in a form that tests compare: by id, in order. */
export function inOrder(seen: Seen): SeenEntity[] {
  return [...seen.values()].sort((a, b) => a.id - b.id);
}
