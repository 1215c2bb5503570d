import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

/** Grazes, and keeps within its pasture. */
export default defineKind({
  is: "creature",
  body: { visual: "sheep", speed: 0.8, radius: 0.35, physical: true },
  components: [create(CreatureSchema, { health: 20, maxHealth: 20, mood: "grazing" })],
  priority: "low",
  *run(self) {
    const home = self.position;
    for (;;) {
      if (self.stroll(4, home)) {
        self.set(CreatureSchema, { mood: "walking" });
        while (self.walking) yield;
        self.set(CreatureSchema, { mood: "grazing" });
      }
      if (self.random() < 0.1) self.say("Baaa.");
      yield self.wait(4 + self.random() * 8);
    }
  },
});
