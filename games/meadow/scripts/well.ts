import { create } from "@bufbuild/protobuf";
import { CounterSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

const VISIT_TILES = 2.5;

/** Counts its visitors. */
export default defineKind({
  is: "object",
  body: { visual: "well", radius: 0.5, physical: true },
  components: [create(CounterSchema)],
  *run(self) {
    let before = new Set<string>();
    for (;;) {
      const now = self.charactersWithin(VISIT_TILES);
      const newcomers = now.filter((name) => !before.has(name)).length;
      if (newcomers > 0) {
        const { count } = self.get(CounterSchema) ?? create(CounterSchema);
        self.set(CounterSchema, { count: count + BigInt(newcomers) });
      }
      before = new Set(now);
      yield self.wait(1);
    }
  },
});
