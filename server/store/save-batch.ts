import { setImmediate } from "node:timers/promises";
import type {
  CharacterRecord,
  ObjectRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ComponentCodec } from "./component-codec.ts";
import { toColumns } from "./records.ts";
import { storableJson } from "./storable-text.ts";

/** Records that are turned into JSON in one go; between them the event loop gets its turn. */
const ENCODED_AT_ONCE = 50;

/** Records that one statement writes. */
const WRITTEN_AT_ONCE = 1000;

// Both statements lock rows in one order, so that two batches never wait for each other. Of the components only
// those of known types are replaced: what another game stored stays.

/** Writes characters: `$1` an array from {@link encodeCharacters}, `$2` the known types as a JSON array. */
export const SAVE_CHARACTERS = `
  with given as (
    select * from jsonb_to_recordset($1::jsonb)
      as g(id bigint, zone text, x float8, y float8, z float8, components jsonb)
  ), locked as materialized (
    select c.id from characters c join given g on g.id = c.id order by c.id for update of c
  )
  update characters c
  set zone = g.zone, x = g.x, y = g.y, z = g.z,
    components = (c.components - array(select jsonb_array_elements_text($2::jsonb))) || g.components
  from given g join locked l on l.id = g.id
  where c.id = g.id`;

/** Writes objects: `$1` an array from {@link encodeObjects}, `$2` the known types as a JSON array. */
export const SAVE_OBJECTS = `
  insert into objects (zone, name, x, y, z, components)
  select zone, name, x, y, z, components from jsonb_to_recordset($1::jsonb)
    as g(zone text, name text, x float8, y float8, z float8, components jsonb)
  order by zone collate "C", name collate "C"
  on conflict (zone, name) do update
  set x = excluded.x, y = excluded.y, z = excluded.z,
    components = (objects.components - array(select jsonb_array_elements_text($2::jsonb)))
      || excluded.components`;

/** JSON arrays of characters, for one statement each; of two with one id the later counts. */
export function encodeCharacters(
  characters: readonly CharacterRecord[],
  codec: ComponentCodec,
): Promise<string[]> {
  const byId = new Map(characters.map((character) => [character.id, character]));
  return encode([...byId.values()], (character) => {
    const { id, zone, position, components } = character;
    return withComponents({ id, zone, ...toColumns(position) }, codec.encode(components));
  });
}

/** JSON arrays of objects, for one statement each; of two with one zone and name the later counts. */
export function encodeObjects(
  objects: readonly ObjectRecord[],
  codec: ComponentCodec,
): Promise<string[]> {
  const byName = new Map(
    objects.map((object) => [JSON.stringify([object.zone, object.name]), object]),
  );
  return encode([...byName.values()], (object) => {
    const { zone, name, position, components } = object;
    return withComponents({ zone, name, ...toColumns(position) }, codec.encode(components));
  });
}

function withComponents(columns: object, components: string): string {
  return `${storableJson(columns).slice(0, -1)},"components":${components}}`;
}

async function encode<R>(records: R[], toJson: (record: R) => string): Promise<string[]> {
  const encoded: string[] = [];
  for (let i = 0; i < records.length; i += ENCODED_AT_ONCE) {
    if (i > 0) await setImmediate();
    for (const record of records.slice(i, i + ENCODED_AT_ONCE)) encoded.push(toJson(record));
  }
  const arrays: string[] = [];
  for (let i = 0; i < encoded.length; i += WRITTEN_AT_ONCE) {
    arrays.push(`[${encoded.slice(i, i + WRITTEN_AT_ONCE).join(",")}]`);
  }
  return arrays;
}
