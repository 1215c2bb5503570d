import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { UpdateResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { SceneSchema, UpdateResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";

/** A scene of 10 ticks a second in `town`, in which the caller is entity 1. */
export const TOWN: MessageInitShape<typeof SceneSchema> = {
  zone: "town",
  mapRevision: 1,
  tickRateHz: 10,
  selfId: 1,
  viewRadius: 20,
  serverTimeMs: 1_800_000_000_000n,
};

/** A message of the update stream as it comes off the wire. */
export function update(init: MessageInitShape<typeof UpdateResponseSchema>): UpdateResponse {
  return fromBinary(
    UpdateResponseSchema,
    toBinary(UpdateResponseSchema, create(UpdateResponseSchema, init)),
  );
}

/** Packs a component. */
export function pack<Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(desc, create(desc, init));
}
