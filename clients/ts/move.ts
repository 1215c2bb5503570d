import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type {
  MoveRequest,
  MoveResponse,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { PointInit } from "./value.ts";

/** What came of a move: `moved`, `position`, and `refusal` when it was not made. */
export type MoveResult = MoveResponse & { position: Vector };

/** Moves the caller's character. A move that the world does not allow is a result with a `refusal`, not an error. */
export interface Mover {
  /** A step relative to where the character is, at most 1.5 tiles long. */
  by(offset: PointInit): Promise<MoveResult>;
  /** Walks to a place, in tiles; the server finds the way. */
  to(destination: PointInit): Promise<MoveResult>;
  /** Walks on in a direction until the next move. The length, 0 to 1, is the part of the full speed. */
  direction(direction: PointInit): Promise<MoveResult>;
  stop(): Promise<MoveResult>;
}

/** Creates a mover, which counts `MoveRequest.sequence` from 1. */
export function createMover(world: Client<typeof WorldService>): Mover {
  let sequence = 0;
  const move = async (
    way: "offset" | "destination" | "direction",
    { x, y, z = 0 }: PointInit,
  ): Promise<MoveResult> => {
    // The field has 32 bits; 0 stands for none.
    sequence = (sequence + 1) >>> 0 || 1;
    const kind: MoveRequest["kind"] = { case: way, value: create(VectorSchema, { x, y, z }) };
    const response = await world.move({ kind, sequence });
    return { ...response, position: response.position ?? create(VectorSchema) };
  };
  return {
    by: (offset) => move("offset", offset),
    to: (destination) => move("destination", destination),
    direction: (direction) => move("direction", direction),
    stop: () => move("direction", { x: 0, y: 0 }),
  };
}
