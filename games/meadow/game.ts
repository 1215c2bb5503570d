import { create } from "@bufbuild/protobuf";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { defineGame } from "../../server/game.ts";

/** The default world: a town and a meadow, joined by a gate. */
export default defineGame({
  id: "meadow",
  title: "Meadow",
  proto: { components: [CreatureSchema, PurseSchema, SignSchema, CounterSchema] },
  maps: ["maps/town.tmj", "maps/meadow.tmj"],
  startZone: "town",
  scripts: "scripts",
  character: {
    body: { visual: "player", speed: 4, radius: 0.35, physical: true },
    components: [
      create(CreatureSchema, { health: 100, maxHealth: 100 }),
      create(PurseSchema, { gold: 10n, luck: 0.5 }),
    ],
  },
  viewRadius: 20,
  tickRateHz: 10,
});
