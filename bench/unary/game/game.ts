import { create } from "@bufbuild/protobuf";
import { CreatureSchema, PurseSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { defineGame } from "../../../server/game.ts";
import { SPEED_TILES_PER_S, TICK_RATE_HZ, VIEW_RADIUS_TILES } from "../../world/rules.ts";

/** The benchmark's plain, with characters that have something to get and to set: the components of the default game. */
export default defineGame({
  id: "meadow",
  title: "Benchmark of calls",
  proto: { components: [CreatureSchema, PurseSchema] },
  maps: ["../../game/maps/plain.tmj"],
  startZone: "plain",
  scripts: "../../game/scripts",
  character: {
    body: { visual: "player", speed: SPEED_TILES_PER_S, radius: 0.35, physical: false },
    components: [
      create(CreatureSchema, { health: 100, maxHealth: 100 }),
      create(PurseSchema, { gold: 10n }),
    ],
  },
  viewRadius: VIEW_RADIUS_TILES,
  tickRateHz: TICK_RATE_HZ,
});
