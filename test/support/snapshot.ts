import { createRegistry, toBinary } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { WorldView } from "../../clients/ts/index.ts";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { COMPONENTS, DEADLINE_MS } from "./player.ts";

const registry = createRegistry(BodySchema, PresenceSchema, ...COMPONENTS);

/** Everything that a client knows of what is in view, by id, as plain text that tests compare. */
export type Snapshot = Readonly<Record<number, string>>;

/** How far two clients may show an entity apart, in tiles: each may be off by 1/128. */
const APART_TILES = 1 / 64;

interface Shown {
  readonly position: { readonly x: number; readonly y: number };
  /** Everything else. */
  readonly rest: string;
}

type ShownById = ReadonlyMap<number, Shown>;

function shownIn(message: UpdateResponse): ShownById {
  return new Map(
    message.entities.map(({ id, name, kind, visual, position, velocity, components }) => {
      const { x = NaN, y = NaN } = position ?? {};
      const rest = line({ name, kind, visual, velocity, components: components.map(packed) });
      return [id, { position: { x, y }, rest }];
    }),
  );
}

function shownBy({ entities }: WorldView): ShownById {
  return new Map(
    [...entities.values()].map(({ id, name, kind, visual, position, velocity, components }) => {
      const all = [...components].map(unpacked);
      return [id, { position, rest: line({ name, kind, visual, velocity, components: all }) }];
    }),
  );
}

/** Places that are as near to those in the model as they have to be count as the same. */
function snapshotOf(shown: ShownById, model: ShownById = shown): Snapshot {
  return Object.fromEntries(
    [...shown].map(([id, { position, rest }]) => {
      const other = model.get(id)?.position ?? position;
      const isNear =
        Math.abs(position.x - other.x) <= APART_TILES &&
        Math.abs(position.y - other.y) <= APART_TILES;
      const { x, y } = isNear ? other : position;
      return [id, `${x} ${y} ${rest}`];
    }),
  );
}

/**
 * Holds a view that follows a stream against fresh messages of `Update once`: at the first tick that both
 * show, the two must be equal, which the caller checks. The world may move meanwhile, but by its ticks alone.
 */
export async function compareWithOnce(
  view: WorldView,
  once: () => Promise<UpdateResponse>,
): Promise<{ view: Snapshot; once: Snapshot; tick: number }> {
  const seen = new Map<number, ShownById>();
  const stop = view.onUpdate(() => void seen.set(view.tick, shownBy(view)));
  const until = performance.now() + DEADLINE_MS;
  try {
    for (;;) {
      const message = await once();
      // The stream may bring the same tick a moment later.
      const waiting = performance.now() + 1_000;
      while (!seen.has(message.tick) && view.tick <= message.tick && performance.now() < waiting) {
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
      const same = seen.get(message.tick);
      if (same) {
        const fresh = shownIn(message);
        return { view: snapshotOf(same, fresh), once: snapshotOf(fresh), tick: message.tick };
      }
      if (performance.now() > until) throw new Error("stream and once never showed the same tick");
    }
  } finally {
    stop();
  }
}

function line(entity: {
  name: string;
  kind: number;
  visual: string;
  velocity: { x: number; y: number } | undefined;
  components: string[];
}): string {
  const { name, kind, visual, velocity, components } = entity;
  const numbers = [velocity?.x ?? 0, velocity?.y ?? 0].join(" ");
  return `${name} ${kind} ${visual} ${numbers} ${components.sort().join(" ")}`;
}

function packed({ typeUrl, value }: Any): string {
  return `${typeUrl.slice(typeUrl.lastIndexOf("/") + 1)}:${Buffer.from(value).toString("hex")}`;
}

function unpacked([type, message]: [string, Message]): string {
  if (message.$typeName === AnySchema.typeName) return packed(message as Any);
  const schema = registry.getMessage(type);
  if (!schema) throw new Error(`unknown component ${type}`);
  return `${type}:${Buffer.from(toBinary(schema, message)).toString("hex")}`;
}
