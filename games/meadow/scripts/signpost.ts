import { create } from "@bufbuild/protobuf";
import { SignSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

/** Can be read. */
export default defineKind({
  is: "object",
  body: { visual: "signpost", radius: 0.25, physical: true },
  components: [create(SignSchema)],
});
