import { create } from "@bufbuild/protobuf";
import {
  CharacterRecordSchema,
  ObjectRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { persistentOnly } from "../sim/components.ts";
import type { ComponentTypes } from "../sim/components.ts";
import type { StoredEntity, Zone } from "../sim/zone.ts";
import { characterKey, objectKey, placesKey } from "./saver.ts";
import type { Row } from "./saver.ts";

/** An entity whose stored state changed, but for where it is. */
export interface SaveNote {
  readonly name: string;
  /** The character's id in the store; 0: it is not a character. */
  readonly characterId: number;
}

/** What an entity is saved under; undefined when it is not in the zone, or cannot be stored. */
export function saveNote(zone: Zone, name: string): SaveNote | undefined {
  const brief = zone.brief(name);
  if (!brief || (brief.kind === EntityKind.CHARACTER && brief.characterId === 0)) return undefined;
  return { name, characterId: brief.characterId };
}

/** The key under which the row of an entity of a zone is noted. */
export function saveKey(zone: string, { name, characterId }: SaveNote): string {
  return characterId === 0 ? objectKey(zone, name) : characterKey(characterId);
}

/** The key under which a row is noted. */
export function rowKey(row: Row): string {
  if (row.kind === "character") return characterKey(row.record.id);
  if (row.kind === "places") return placesKey(row.record.zone);
  return objectKey(row.record.zone, row.record.name);
}

/** The row of an entity as it is now; undefined when it is not in the zone. */
export function rowOf(zone: Zone, name: string): Row | undefined {
  const stored = zone.storedOf(name);
  if (!stored) return undefined;
  const { kind, position, components } = stored;
  if (kind === EntityKind.CHARACTER) return characterRow(zone.name, stored, components);
  const record = create(ObjectRecordSchema, { zone: zone.name, name, position, components });
  return { kind: "object", record };
}

/** The row of a character that is not in the zone any more; undefined when it cannot be stored. */
export function rowOfGone(
  types: ComponentTypes,
  zone: string,
  entity: EntityState,
): Row | undefined {
  if (entity.characterId === 0) return undefined;
  return characterRow(zone, entity, persistentOnly(types, entity.components));
}

function characterRow(
  zone: string,
  entity: Pick<StoredEntity, "characterId" | "name"> & {
    readonly position?: StoredEntity["position"] | undefined;
  },
  components: EntityState["components"],
): Row {
  const { characterId: id, name, position } = entity;
  const row = { id, name, zone, components };
  const record = create(CharacterRecordSchema, position ? { ...row, position } : row);
  return { kind: "character", record };
}
