import { create } from "@bufbuild/protobuf";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { entityId } from "../wire/update-bytes.ts";
import type { PlainWorld, Sight } from "../world/plain-world.ts";
import { UNITS_PER_TILE, playerName } from "../world/rules.ts";

/** An update as a generated message, the way that whoever uses a stock library builds it. Velocities stay out. */
export function createUpdate(
  world: PlainWorld,
  viewer: number,
  { entered, moved, left }: Sight,
  isFirst: boolean,
): UpdateResponse {
  const originX = world.xs[viewer] as number;
  const originY = world.ys[viewer] as number;
  return create(UpdateResponseSchema, {
    tick: world.tick,
    ...(isFirst && { scene: { zone: "plain", selfId: entityId(viewer) } }),
    entities: entered.map((player) => ({
      id: entityId(player),
      name: playerName(player),
      kind: EntityKind.CHARACTER,
      visual: "player",
      position: {
        x: (world.xs[player] as number) / UNITS_PER_TILE,
        y: (world.ys[player] as number) / UNITS_PER_TILE,
      },
    })),
    ...(moved.length > 0 && {
      moved: {
        ids: moved.map(entityId),
        originX,
        originY,
        xs: moved.map((player) => (world.xs[player] as number) - originX),
        ys: moved.map((player) => (world.ys[player] as number) - originY),
      },
    }),
    left: left.map(entityId),
  });
}
