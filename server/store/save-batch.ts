import { setImmediate } from "node:timers/promises";
import type {
  CharacterRecord,
  ObjectRecord,
  PlacesRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ComponentCodec } from "./component-codec.ts";
import { toColumns } from "./records.ts";
import { storableJson, storableText } from "./storable-text.ts";

/** Records that are turned into JSON in one go; between them the event loop gets its turn. */
const ENCODED_AT_ONCE = 50;

/** Records that one statement writes. */
const WRITTEN_AT_ONCE = 1000;

// Both statements lock rows in one order, so that two batches never wait for each other. Of the components only
// those of known types are replaced: what another game stored stays.

// What is saved gets a number that grows, so that it can be told whether a character's own row or its zone's places are newer.

/** Writes characters: `$1` an array from {@link encodeCharacters}, `$2` the known types as a JSON array. */
export const SAVE_CHARACTERS = `
  with given as (
    select * from jsonb_to_recordset($1::jsonb)
      as g(id bigint, zone text, x float8, y float8, z float8, components jsonb)
  ), locked as materialized (
    select c.id from characters c join given g on g.id = c.id order by c.id for update of c
  ), number as materialized (select nextval('save_numbers') as n)
  update characters c
  set zone = g.zone, x = g.x, y = g.y, z = g.z, save_number = number.n,
    components = (c.components - array(select jsonb_array_elements_text($2::jsonb))) || g.components
  from number, given g join locked l on l.id = g.id
  where c.id = g.id`;

/** Writes where the characters of a zone `$1` are: `$2` their ids, `$3` and `$4` their places. */
export const SAVE_PLACES = `
  insert into places (zone, save_number, ids, xs, ys)
  values ($1, nextval('save_numbers'), $2::int[], $3::float8[], $4::float8[])
  on conflict (zone) do update
  set save_number = excluded.save_number, ids = excluded.ids, xs = excluded.xs, ys = excluded.ys`;

/** Puts the characters of a zone `$1`, of all zones if it is null, where its places say, unless their own rows are newer. */
export const SETTLE_PLACES = `
  with told as (
    select p.zone, p.save_number, t.id, t.x, t.y
    from places p cross join lateral unnest(p.ids, p.xs, p.ys) as t(id, x, y)
    where $1::text is null or p.zone = $1
  ), newest as (
    select distinct on (id) * from told order by id, save_number desc
  ), locked as materialized (
    select c.id from characters c join newest n on n.id = c.id
    where c.save_number < n.save_number order by c.id for update of c
  )
  update characters c set zone = n.zone, x = n.x, y = n.y, z = 0, save_number = n.save_number
  from newest n join locked l on l.id = n.id
  where c.id = n.id and c.save_number < n.save_number`;

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

/** The parameters of {@link SAVE_PLACES}. */
export function placesParameters({ zone, ids, xs, ys }: PlacesRecord): unknown[] {
  return [storableText(zone), ids, xs, ys];
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
