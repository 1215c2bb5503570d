import { defineKind } from "../../../server/game.ts";

/** Stands there and is lit. */
export default defineKind({
  is: "object",
  body: { visual: "lantern", radius: 0.2, physical: true, states: ["lit"] },
});
