import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { MoveRequest, MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createComponentTypes } from "../../server/sim/components.ts";
import type { Kind } from "../../server/sim/kind.ts";
import { createZone } from "../../server/sim/zone.ts";
import type { NewZone, Zone, ZoneOptions } from "../../server/sim/zone.ts";

/** The component types of the default game, with its real messages. */
export const testTypes = createComponentTypes([
  CreatureSchema,
  PurseSchema,
  SignSchema,
  CounterSchema,
]);

/** A map drawn in text, a tile a letter: `#` is a barrier, `@` the start. */
export function drawMap(rows: readonly string[], extra: MessageInitShape<typeof ZoneMapSchema> = {}): ZoneMap {
  const width = rows[0]?.length ?? 0;
  const tiles = rows.flatMap((row) => [...row].map((letter) => (letter === "#" ? 2 : 1)));
  const barriers = new Uint8Array((tiles.length + 7) >> 3);
  tiles.forEach((tile, i) => {
    if (tile === 2) barriers[i >> 3] = (barriers[i >> 3] as number) | (1 << (i & 7));
  });
  const at = rows.join("").indexOf("@");
  const position = { x: (at < 0 ? 0 : at % width) + 0.5, y: Math.floor(Math.max(0, at) / width) + 0.5 };
  return create(ZoneMapSchema, {
    zone: "test",
    revision: 1,
    width,
    height: rows.length,
    tileSize: 32,
    layers: [{ name: "ground", tiles }],
    tilesets: [{ name: "test", firstTile: 1, tileCount: 4, columns: 4, solidTiles: [1] }],
    barriers,
    ...extra,
    spawns: [{ name: "start", position }, ...((extra.spawns ?? []) as never[])],
  });
}

/** A zone on a drawn map. */
export function createTestZone(
  map: ZoneMap,
  options: {
    kinds?: Record<string, Kind>;
    seed?: string;
    recordedInputs?: number;
    zones?: readonly string[];
    objects?: NewZone["objects"];
  } = {},
): { zone: Zone; options: Pick<ZoneOptions, "types" | "kinds" | "zones"> } {
  const shared = {
    types: testTypes,
    kinds: new Map(Object.entries(options.kinds ?? {})),
    zones: options.zones ?? ["test", "other"],
  };
  const zone = createZone({
    ...shared,
    from: { map, seed: options.seed ?? "seed", epochMs: 1_000_000, objects: options.objects ?? [] },
    recordedInputs: options.recordedInputs ?? 0,
    game: "test",
  });
  return { zone, options: shared };
}

/** An input. */
export function input(kind: MessageInitShape<typeof InputSchema>["kind"]): Input {
  return create(InputSchema, { kind: kind as Input["kind"] });
}

/** Lets a character of the default game join; its entity id comes back. */
export function join(
  zone: Zone,
  name: string,
  at?: { x: number; y: number },
  body: MessageInitShape<typeof BodySchema> = {},
): number {
  const outcome = zone.apply(
    input({
      case: "join",
      value: {
        character: {
          name,
          kind: EntityKind.CHARACTER,
          characterId: 1,
          ...(at ? { position: { ...at, z: 0 } } : {}),
          components: [
            anyPack(BodySchema, create(BodySchema, { visual: "player", speed: 4, radius: 0.35, physical: true, ...body })),
            anyPack(CreatureSchema, create(CreatureSchema, { health: 10, maxHealth: 10 })),
            anyPack(PurseSchema, create(PurseSchema, { gold: 5n })),
          ],
        },
      },
    }),
  );
  if (outcome.kind.case !== "entityId") throw new Error(`join gave ${outcome.kind.case}`);
  return outcome.kind.value;
}

/** Moves a character. */
export function move(zone: Zone, name: string, kind: MoveRequest["kind"], sequence = 0): MoveResponse {
  const outcome = zone.apply(
    input({ case: "move", value: { name, move: { kind, sequence } as MoveRequest } }),
  );
  return moveOf(outcome);
}

function moveOf(outcome: Outcome): MoveResponse {
  if (outcome.kind.case !== "move") throw new Error(`move gave ${outcome.kind.case}`);
  return outcome.kind.value;
}

/** A vector of the plane for a Move. */
export function vector(x: number, y: number, z = 0) {
  return { $typeName: "realmwire.v1.Vector" as const, x, y, z };
}
