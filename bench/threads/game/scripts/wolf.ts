import { defineKind } from "../../../../server/game.ts";

/** The forest's edge, in tiles. */
const FOREST_TILES = 128;

/** Is on the way to somewhere far, and thinks better of it every two seconds: each time a long way around fences is looked for. */
export default defineKind({
  is: "creature",
  body: { visual: "wolf", speed: 3, radius: 0.3, physical: false },
  *run(self) {
    for (;;) {
      self.walkTo({ x: self.random() * FOREST_TILES, y: self.random() * FOREST_TILES });
      yield self.wait(1.5 + self.random());
    }
  },
});
