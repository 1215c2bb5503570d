import { create } from "@bufbuild/protobuf";
import { CreatureSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineKind } from "../../../server/game.ts";

const BEAT_TILES = 3;

/** Walks to and fro before the gate, and answers when spoken to. */
export default defineKind({
  is: "creature",
  body: { visual: "gate-guard", speed: 1.5, radius: 0.35, physical: false },
  components: [create(CreatureSchema, { health: 60, maxHealth: 60, mood: "watchful" })],
  *run(self) {
    const { x, y } = self.position;
    for (let side = 1; ; side = -side) {
      self.walkTo({ x: x + side * BEAT_TILES, y });
      while (self.walking) yield;
      yield self.wait(3);
    }
  },
  onHear(self, speaker, text) {
    if (/\b(hello|hi|guard)\b/i.test(text)) self.say(`Good day, ${speaker}. The gate is open.`);
  },
});
