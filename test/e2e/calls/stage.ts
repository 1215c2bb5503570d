import type { EditCommand, ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { EditResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Place, TestPlayer, Watcher } from "../../support/player.ts";
import { distance, mapOf, openPlaces } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

/** A builder in the town, with room to build. */
export interface Stage {
  readonly builder: TestPlayer;
  readonly sees: Watcher;
  readonly map: ZoneMap;
  /** Open places around the builder, away from everybody. */
  readonly places: readonly Place[];
}

/** Lets a builder enter the town. */
export async function openStage(server: CallsServer): Promise<Stage> {
  const builder = await server.as(Role.BUILDER);
  const sees = builder.watch();
  const self = await sees.until("a scene", () => sees.view.self);
  const map = await mapOf(builder);
  const others = [...sees.view.entities.values()];
  const places = openPlaces(map, self.position, { atLeast: 2, atMost: 12 }).filter((place) =>
    others.every(({ position }) => distance(position, place) > 2),
  );
  if (places.length < 6) throw new Error("no room to build in");
  return { builder, sees, map, places };
}

/** Carries commands out in the zone where the builder is. */
export function edit(builder: TestPlayer, ...commands: EditCommand[]): Promise<EditResponse> {
  return builder.world.edit({ commands });
}
