import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

const CLUCKS = ["Cluck.", "Cluck, cluck.", "Buk-buk-buk!", "Cluuuck?"];

/** Strolls around its home and clucks now and then. */
export default defineKind({
  is: "creature",
  body: { visual: "hen", speed: 1.2, radius: 0.2, physical: true },
  components: [create(CreatureSchema, { health: 5, maxHealth: 5, mood: "content" })],
  *run(self) {
    const home = self.position;
    for (;;) {
      if (self.random() < 0.6) self.stroll(3, home);
      else if (self.random() < 0.3) self.sayOneOf(CLUCKS);
      yield self.wait(2 + self.random() * 4);
    }
  },
});
