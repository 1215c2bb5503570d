import { defineGame } from "../../../server/game.ts";

/** A plain with players, and two forests full of wolves who look for long ways. */
export default defineGame({
  // The server offers the generated types of its game as a client release, and this game has none of its own.
  id: "meadow",
  title: "Benchmark of threads",
  proto: { components: [] },
  maps: ["maps/plain.tmj", "maps/forest-1.tmj", "maps/forest-2.tmj"],
  startZone: "plain",
  scripts: "scripts",
  character: {
    body: { visual: "player", speed: 4, radius: 0.35, physical: false },
    components: [],
  },
  viewRadius: 20,
  tickRateHz: 10,
});
