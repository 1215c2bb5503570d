import { defineGame } from "../../server/game.ts";
import { SPEED_TILES_PER_S, TICK_RATE_HZ, VIEW_RADIUS_TILES } from "../world/rules.ts";

/** The world of the benchmark: an empty plain, nobody but players, who pass through each other. */
export default defineGame({
  // The server offers the generated types of its game as a client release, and this game has none of its own.
  id: "meadow",
  title: "Benchmark",
  proto: { components: [] },
  maps: ["maps/plain.tmj"],
  startZone: "plain",
  scripts: "scripts",
  character: {
    body: { visual: "player", speed: SPEED_TILES_PER_S, radius: 0.35, physical: false },
    components: [],
  },
  viewRadius: VIEW_RADIUS_TILES,
  tickRateHz: TICK_RATE_HZ,
});
