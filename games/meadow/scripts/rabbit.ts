import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

const SHY_TILES = 3;

/** Hops about, and runs from whoever comes near. */
export default defineKind({
  is: "creature",
  body: { visual: "rabbit", speed: 3, radius: 0.2, physical: false },
  components: [create(CreatureSchema, { health: 3, maxHealth: 3, mood: "calm" })],
  *run(self) {
    const home = self.position;
    for (;;) {
      const [visitor] = self.charactersWithin(SHY_TILES);
      const danger = visitor === undefined ? undefined : self.placeOf(visitor);
      if (danger) {
        self.set(CreatureSchema, { mood: "frightened" });
        const { x, y } = self.position;
        const away = { x: x + (x - danger.x) * 2, y: y + (y - danger.y) * 2 };
        if (!self.walkTo(away)) self.stroll(5);
        yield self.wait(1);
      } else {
        self.set(CreatureSchema, { mood: "calm" });
        if (self.random() < 0.3) self.stroll(4, home);
        yield self.wait(0.5 + self.random());
      }
    }
  },
});
