import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

const NEWS = [
  "Hear ye! The well has water, and it is wet!",
  "Hear ye! Sheep were seen in the meadow!",
  "Hear ye! The hens want it known that they are not amused!",
  "Hear ye! Whoever lost a left boot may find it in the pond!",
];

/** Cries the news to whoever is about. */
export default defineKind({
  is: "creature",
  body: { visual: "crier", speed: 1, radius: 0.35, physical: true },
  components: [create(CreatureSchema, { health: 30, maxHealth: 30, mood: "loud" })],
  priority: "low",
  *run(self) {
    for (;;) {
      if (self.charactersWithin(12).length > 0) self.sayOneOf(NEWS);
      yield self.wait(30 + self.random() * 30);
    }
  },
});
