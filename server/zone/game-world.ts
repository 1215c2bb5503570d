import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { ComponentTypes } from "../sim/components.ts";
import type { Kinds } from "../sim/kind.ts";

/** A game as it was loaded and checked: what zones are made of. */
export interface GameWorld {
  readonly id: string;
  readonly types: ComponentTypes;
  readonly kinds: Kinds;
  /** The maps by zone, as the game's files have them. */
  readonly maps: ReadonlyMap<string, ZoneMap>;
  readonly tickRateHz: number;
}
