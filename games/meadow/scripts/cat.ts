import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

/** Follows people for a while, then loses interest. */
export default defineKind({
  is: "creature",
  body: { visual: "cat", speed: 2.5, radius: 0.2, physical: false },
  components: [create(CreatureSchema, { health: 8, maxHealth: 8, mood: "bored" })],
  *run(self) {
    const home = self.position;
    for (;;) {
      const [friend] = self.charactersWithin(8);
      if (friend !== undefined && self.random() < 0.5) {
        self.set(CreatureSchema, { mood: "curious" });
        for (let i = 0; i < 8; i++) {
          const place = self.placeOf(friend);
          if (!place) break;
          self.walkTo({ x: place.x - 0.7, y: place.y });
          yield self.wait(1);
        }
        self.say("Meow.");
      }
      self.set(CreatureSchema, { mood: "bored" });
      self.stroll(6, home);
      yield self.wait(5 + self.random() * 10);
    }
  },
  onHear(self, _speaker, text) {
    if (/\b(cat|kitty)\b/i.test(text)) self.say("Purr.");
  },
});
