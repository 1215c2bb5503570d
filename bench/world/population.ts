import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { createComponentTypes } from "../../server/sim/components.ts";
import { createViewer } from "../../server/sim/viewer.ts";
import type { MessageExtras, Viewer } from "../../server/sim/viewer.ts";
import { createZone } from "../../server/sim/zone.ts";
import type { Zone } from "../../server/sim/zone.ts";
import { WireWriter } from "../../server/sim/wire-writer.ts";
import { MAP_TILES, SPEED_TILES_PER_S, VIEW_RADIUS_TILES, playerName, TICK_MS } from "./rules.ts";
import type { Place } from "./rules.ts";
import { createWalker } from "./walker.ts";

/** Ticks after which everybody takes a new direction, spread evenly over them. */
const TURN_TICKS = 8;

/** A zone of this process full of walking characters, each with a viewer of its own: the simulation and the interest, without port and sockets. */
export interface Population {
  readonly size: number;
  /** Gives those whose turn it is a new direction; outside of what is measured. */
  turn(): void;
  /** Lets one tick pass. */
  step(): void;
  /** Writes everybody's message; their bytes come back. */
  look(): number;
}

/** Puts a character at each home and shows everybody the first scene. */
export function createPopulation(homes: readonly Place[]): Population {
  const zone = createZone({
    types: createComponentTypes([]),
    kinds: new Map(),
    zones: ["plain"],
    from: {
      map: create(ZoneMapSchema, {
        zone: "plain",
        revision: 1,
        width: MAP_TILES,
        height: MAP_TILES,
        spawns: [{ name: "start", position: { x: 1, y: 1 } }],
      }),
      seed: "bench",
    },
  });
  const writer = new WireWriter();
  const walkers = homes.map((home, player) => createWalker({ seed: player, home }));
  const viewers: Viewer[] = homes.map((home, player) => {
    const selfId = join(zone, player, home);
    const character = playerName(player);
    const key = String(player);
    return createViewer({
      source: zone,
      key,
      selfId,
      character,
      radius: VIEW_RADIUS_TILES,
      writer,
    });
  });
  const extras: MessageExtras = {
    flags: [],
    acknowledged: 0,
    refused: [],
    scene: () => new Uint8Array(0),
    force: false,
  };

  function move(player: number): void {
    const direction = walkers[player]?.next(zone.tick * TICK_MS);
    if (!direction) return;
    const value = {
      name: playerName(player),
      move: { kind: { case: "direction" as const, value: direction } },
    };
    zone.apply(create(InputSchema, { kind: { case: "move", value } }));
  }

  function look(): number {
    let bytes = 0;
    for (const viewer of viewers) bytes += viewer.message(extras)?.length ?? 0;
    return bytes;
  }

  for (const player of homes.keys()) move(player);
  zone.step();
  look();
  return {
    size: homes.length,
    turn() {
      for (let player = zone.tick % TURN_TICKS; player < homes.length; player += TURN_TICKS) {
        move(player);
      }
    },
    step: () => void zone.step(),
    look,
  };
}

function join(zone: Pick<Zone, "apply">, player: number, home: Place): number {
  const name = playerName(player);
  const body = { visual: "player", speed: SPEED_TILES_PER_S, radius: 0.35, physical: false };
  const character = {
    name,
    kind: EntityKind.CHARACTER,
    characterId: player + 1,
    position: { ...home, z: 0 },
    components: [anyPack(BodySchema, create(BodySchema, body))],
  };
  const outcome = zone.apply(create(InputSchema, { kind: { case: "join", value: { character } } }));
  if (outcome.kind.case !== "entityId") throw new Error(`${name} could not join`);
  return outcome.kind.value;
}
