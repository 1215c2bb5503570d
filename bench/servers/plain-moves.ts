import { create } from "@bufbuild/protobuf";
import { MoveResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MoveRequest, MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { PlainWorld } from "../world/plain-world.ts";
import { UNITS_PER_TILE } from "../world/rules.ts";

/** Makes a Move in the plain world and says so. */
export function answerMove(world: PlainWorld, player: number, move: MoveRequest): MoveResponse {
  const { kind, sequence } = move;
  if (kind.case !== "direction") throw new Error("only directions are known here");
  world.move(player, kind.value.x, kind.value.y);
  return create(MoveResponseSchema, {
    moved: true,
    position: {
      x: (world.xs[player] as number) / UNITS_PER_TILE,
      y: (world.ys[player] as number) / UNITS_PER_TILE,
    },
    sequence,
  });
}
