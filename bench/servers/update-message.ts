import { create } from "@bufbuild/protobuf";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { entityId } from "../wire/update-bytes.ts";
import type { PlainWorld, Sight } from "../world/plain-world.ts";
import { UNITS_PER_TILE, playerName } from "../world/rules.ts";

/** An update as a generated message, the way that whoever uses a stock library builds it. */
export function createUpdate(
  world: PlainWorld,
  viewer: number,
  { entered, turned, left }: Sight,
  isFirst: boolean,
): UpdateResponse {
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
      velocity: {
        x: (world.vxs[player] as number) / UNITS_PER_TILE,
        y: (world.vys[player] as number) / UNITS_PER_TILE,
      },
    })),
    ...(turned.length > 0 && {
      turned: {
        ids: turned.map(entityId),
        xs: turned.map((player) => world.vxs[player] as number),
        ys: turned.map((player) => world.vys[player] as number),
      },
    }),
    left: left.map(entityId),
  });
}
