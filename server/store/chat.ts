import { create, enumFromJson } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs, timestampNow } from "@bufbuild/protobuf/wkt";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { ChatRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  type ChatMessage,
  ChatKind,
  ChatKindSchema,
  ChatMessageSchema,
} from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { type Database, rows } from "./database.ts";
import { enumName } from "./records.ts";
import { storableJson } from "./storable-text.ts";
import type { Store } from "./store.ts";

/**
 * Of so many messages that a character hears, about one makes the store forget the character's old ones. So a character
 * has at most a few hundred messages more than it may keep, whatever restarts, and chatting stays cheap.
 */
const PRUNE_INTERVAL = 64;

/** The store's methods on chat. */
export type ChatStore = Pick<Store, "appendChat" | "listChat">;

/** Creates the methods on chat. */
export function createChatStore(options: { readonly database: Database }): ChatStore {
  const { database } = options;
  return {
    async appendChat(records, keepPerCharacter) {
      if (records.length === 0) return [];
      return database.transaction(async (em) => {
        const ids = await takeIds(em, records.length);
        await insertMessages(em, records, ids);
        const pruned = drawForPruning(records);
        if (pruned.length > 0 && (await alone(em))) {
          await forgetHearings(em, pruned, keepPerCharacter);
        }
        return ids;
      });
    },

    async listChat(characterId, page) {
      const found = await database.run((em) =>
        rows<MessageRow>(
          em,
          `select m.id, m.kind, m.sender, m.recipient, m.zone, m.text, m.entity_id,
             (extract(epoch from m.said_at) * 1000)::float8 as said_at_ms
           from chat_hearings h join chat_messages m on m.id = h.message_id
           where h.character_id = $1 and h.message_id < $2
           order by h.message_id desc limit $3`,
          [characterId, page.beforeId ?? Number.MAX_SAFE_INTEGER, page.size],
        ),
      );
      return found.map(toMessage);
    },
  };
}

interface MessageRow {
  readonly id: string | number;
  readonly kind: string;
  readonly sender: string;
  readonly recipient: string;
  readonly zone: string;
  readonly text: string;
  readonly entity_id: string | number;
  readonly said_at_ms: number;
}

function toMessage(row: MessageRow): ChatMessage {
  return create(ChatMessageSchema, {
    id: Number(row.id),
    kind: enumFromJson(ChatKindSchema, row.kind),
    from: row.sender,
    to: row.recipient,
    zone: row.zone,
    text: row.text,
    time: timestampFromMs(row.said_at_ms),
    entityId: Number(row.entity_id),
  });
}

/** Ids that grow, for so many messages. */
async function takeIds(em: SqlEntityManager, count: number): Promise<number[]> {
  const taken = await rows<{ id: string | number }>(
    em,
    `select nextval('chat_messages_id_seq') as id from generate_series(1, $1::int)`,
    [count],
  );
  return taken.map((row) => Number(row.id)).toSorted((a, b) => a - b);
}

async function insertMessages(
  em: SqlEntityManager,
  records: readonly ChatRecord[],
  ids: readonly number[],
): Promise<void> {
  const messages = records.map(({ message, heardBy }, index) => ({
    id: ids[index],
    kind: enumName(ChatKindSchema, message?.kind ?? ChatKind.UNSPECIFIED),
    sender: message?.from ?? "",
    recipient: message?.to ?? "",
    zone: message?.zone ?? "",
    text: message?.text ?? "",
    said_at_ms: timestampMs(message?.time ?? timestampNow()),
    entity_id: message?.entityId ?? 0,
    heard_by: [...new Set(heardBy)],
  }));
  await rows(
    em,
    `with given as (
       select * from jsonb_to_recordset($1::jsonb) as g(
         id bigint, kind text, sender text, recipient text, zone text, text text,
         said_at_ms float8, entity_id bigint, heard_by jsonb)
     ), heard as (
       insert into chat_hearings (character_id, message_id)
       select c.id::int, g.id from given g, jsonb_array_elements_text(g.heard_by) as c(id)
     )
     insert into chat_messages (id, kind, sender, recipient, zone, text, said_at, entity_id, hearers)
     select id, kind, sender, recipient, zone, text, to_timestamp(said_at_ms / 1000), entity_id,
       jsonb_array_length(heard_by)
     from given where jsonb_array_length(heard_by) > 0`,
    [storableJson(messages)],
  );
}

/** The characters whose old messages are to be forgotten now: each hearing is a draw. */
function drawForPruning(records: readonly ChatRecord[]): number[] {
  const drawn = records
    .flatMap((record) => record.heardBy)
    .filter(() => Math.random() * PRUNE_INTERVAL < 1);
  return [...new Set(drawn)];
}

/** Forgetting locks many rows: two at once could wait for each other, so each takes this lock first. */
const PRUNE_LOCK = "hashtext('realmwire chat pruning')";

/** Whether nobody else is forgetting messages at the moment. */
async function alone(em: SqlEntityManager): Promise<boolean> {
  const [row] = await rows<{ alone: boolean }>(
    em,
    `select pg_try_advisory_xact_lock(${PRUNE_LOCK}) as alone`,
  );
  return row?.alone === true;
}

/** Within a transaction, lets a character forget all that it heard. */
export async function forgetAllHeard(em: SqlEntityManager, characterId: number): Promise<void> {
  await rows(em, `select pg_advisory_xact_lock(${PRUNE_LOCK})`);
  await forgetHearings(em, [characterId], 0);
}

/** Lets characters forget all but their newest messages, and deletes messages that nobody remembers. */
async function forgetHearings(
  em: SqlEntityManager,
  characterIds: readonly number[],
  keep: number,
): Promise<void> {
  const left = await rows<{ id: string | number; hearers: number }>(
    em,
    `with last as (
       select c.id::int as character_id, (
         select h.message_id from chat_hearings h where h.character_id = c.id::int
         order by h.message_id desc offset $2::int limit 1) as message_id
       from jsonb_array_elements_text($1::jsonb) as c(id)
     ), forgotten as (
       delete from chat_hearings h using last
       where h.character_id = last.character_id and h.message_id <= last.message_id
       returning h.message_id
     ), counted as (
       select message_id, count(*)::int as count from forgotten group by message_id
     )
     update chat_messages m set hearers = hearers - counted.count
     from counted where m.id = counted.message_id
     returning m.id, m.hearers`,
    [JSON.stringify(characterIds), keep],
  );
  const unheard = left.filter((row) => row.hearers <= 0).map((row) => Number(row.id));
  await rows(
    em,
    `delete from chat_messages
     where id in (select g.id::bigint from jsonb_array_elements_text($1::jsonb) as g(id))`,
    [JSON.stringify(unheard)],
  );
}
