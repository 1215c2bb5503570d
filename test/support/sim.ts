import { create } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { BodySchema, EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import {
  EditCommandSchema,
  SetBarriersSchema,
  ZoneMapSchema,
} from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { EditCommand, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { RegionSchema, ValueSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { MoveRequest, MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createComponentTypes } from "../../server/sim/components.ts";
import type { Kind } from "../../server/sim/kind.ts";
import { createZone } from "../../server/sim/zone.ts";
import type { Frame, NewZone, Zone, ZoneOptions } from "../../server/sim/zone.ts";

/** The component types of the default game, with its real messages. */
export const testTypes = createComponentTypes([
  CreatureSchema,
  PurseSchema,
  SignSchema,
  CounterSchema,
]);

type MapFields = Exclude<MessageInitShape<typeof ZoneMapSchema>, ZoneMap>;

/** A map drawn in text, a tile a letter: `#` is a barrier, `@` the start. */
export function drawMap(rows: readonly string[], extra: MapFields = {}): ZoneMap {
  const width = rows[0]?.length ?? 0;
  const tiles = rows.flatMap((row) => row.split("").map((letter) => (letter === "#" ? 2 : 1)));
  const barriers = new Uint8Array((tiles.length + 7) >> 3);
  tiles.forEach((tile, i) => {
    if (tile === 2) barriers[i >> 3] = (barriers[i >> 3] as number) | (1 << (i & 7));
  });
  const at = rows.join("").indexOf("@");
  const place = Math.max(0, at);
  const position = { x: (place % width) + 0.5, y: Math.floor(place / width) + 0.5 };
  const fields: MapFields = {
    zone: "test",
    revision: 1,
    width,
    height: rows.length,
    tileSize: 32,
    layers: [{ name: "ground", tiles }],
    tilesets: [{ name: "test", firstTile: 1, tileCount: 4, columns: 4, solidTiles: [1] }],
    barriers,
    ...extra,
    spawns: [{ name: "start", position }, ...(extra.spawns ?? [])],
  };
  return create(ZoneMapSchema, fields);
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
    from: { map, seed: options.seed ?? "seed", objects: options.objects ?? [] },
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
            anyPack(
              BodySchema,
              create(BodySchema, {
                visual: "player",
                speed: 4,
                radius: 0.35,
                physical: true,
                ...body,
              }),
            ),
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
export function move(
  zone: Zone,
  name: string,
  kind: MoveRequest["kind"],
  sequence = 0,
): MoveResponse {
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

/** Lets ticks pass; their frames come back. */
export function steps(zone: Zone, count: number): Frame[] {
  return Array.from({ length: count }, () => zone.step());
}

/** Where an entity is. */
export function placeIn(zone: Zone, name: string): { x: number; y: number } {
  const { position } = zone.stateOf(name)?.entity ?? {};
  if (!position) throw new Error(`${name} is not there`);
  return { x: position.x, y: position.y };
}

/** Carries out an edit of the map. */
export function edit(zone: Zone, ...kinds: EditCommand["kind"][]): Outcome {
  const commands = kinds.map((kind) => create(EditCommandSchema, { kind }));
  return zone.apply(input({ case: "edit", value: { revision: zone.map.revision + 1, commands } }));
}

/** A command that puts or takes away barriers. */
export function barriers(
  x: number,
  y: number,
  width: number,
  height: number,
  blocked = true,
): EditCommand["kind"] {
  const region = create(RegionSchema, { x, y, width, height });
  return { case: "setBarriers", value: create(SetBarriersSchema, { region, blocked }) };
}

/** A component of an entity, unpacked; undefined when it has none of that type. */
export function componentIn<S extends DescMessage>(
  zone: Zone,
  name: string,
  schema: S,
): MessageShape<S> | undefined {
  for (const any of zone.stateOf(name)?.entity.components ?? []) {
    const message = anyUnpack(any, schema);
    if (message) return message;
  }
  return undefined;
}

/** Sets an attribute by the names of component and field. */
export function set(
  zone: Zone,
  name: string,
  attribute: string,
  value: Value["kind"],
  add = false,
): Outcome {
  const { field, type } = testTypes.attribute(attribute) ?? {};
  if (!field || !type) throw new Error(`no attribute ${attribute}`);
  return zone.apply(
    input({
      case: "set",
      value: {
        name,
        component: type.schema.typeName,
        field: field.number,
        change: { case: add ? "add" : "value", value: create(ValueSchema, { kind: value }) },
      },
    }),
  );
}
