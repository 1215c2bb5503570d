import type { JsonObject } from "@bufbuild/protobuf";
import { defineEntity, p } from "@mikro-orm/core";

/** How names are compared and ordered: byte by byte, whatever the database's language is. */
const NAME_COLLATION = "C";

/** The table `accounts`. `role` holds the name of the enum value. Without a ban, all of `ban_…` is null. */
export const AccountTable = defineEntity({
  name: "Account",
  tableName: "accounts",
  properties: {
    id: p.integer().primary().autoincrement(),
    name: p.text(),
    nameKey: p.text().collation(NAME_COLLATION).unique(),
    role: p.text(),
    email: p.text(),
    passwordHash: p.text(),
    createdAt: p.datetime(3),
    lastCharacterId: p.integer().nullable(),
    banReason: p.text().nullable(),
    banSince: p.datetime(3).nullable(),
    banUntil: p.datetime(3).nullable(),
    banBy: p.text().nullable(),
  },
});

/** The table `characters`. `components` maps full type names to Protobuf JSON with the field names of the proto. */
export const CharacterTable = defineEntity({
  name: "Character",
  tableName: "characters",
  properties: {
    id: p.integer().primary().autoincrement(),
    accountId: () =>
      p.manyToOne(AccountTable).mapToPk().fieldName("account_id").deleteRule("cascade").index(),
    name: p.text(),
    nameKey: p.text().collation(NAME_COLLATION).unique(),
    zone: p.text(),
    x: p.float().columnType("double precision").nullable(),
    y: p.float().columnType("double precision").nullable(),
    z: p.float().columnType("double precision").nullable(),
    components: p.json<JsonObject>(),
    createdAt: p.datetime(3),
    saveNumber: p.bigint("number").defaultRaw("0"),
  },
});

/**
 * The table `places`: where the characters of a zone are, all in one row, since most of the time they do nothing but walk. It counts for those
 * whose `save_number` is less than the row's, see `settlePlaces` of the store.
 */
export const PlacesTable = defineEntity({
  name: "Places",
  tableName: "places",
  properties: {
    zone: p.text().primary(),
    saveNumber: p.bigint("number"),
    ids: p.array<number>().columnType("int[]"),
    xs: p.array<number>().columnType("double precision[]"),
    ys: p.array<number>().columnType("double precision[]"),
  },
});

/** The table `sessions`. Of one character at most one session is live. `state` holds the name of the enum value. */
export const SessionTable = defineEntity({
  name: "Session",
  tableName: "sessions",
  properties: {
    tokenHash: p.blob().primary(),
    accountId: () =>
      p.manyToOne(AccountTable).mapToPk().fieldName("account_id").deleteRule("cascade").index(),
    characterId: () =>
      p
        .manyToOne(CharacterTable)
        .mapToPk()
        .fieldName("character_id")
        .nullable()
        .deleteRule("set null"),
    state: p.text(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3).index(),
    endReason: p.text().default(""),
  },
  uniques: [
    {
      name: "sessions_live_character_unique",
      properties: ["characterId"],
      where: { state: "SESSION_STATE_LIVE" },
    },
  ],
});

/** The table `objects`: things and creatures that differ from what the map says. */
export const ObjectTable = defineEntity({
  name: "WorldObject",
  tableName: "objects",
  properties: {
    zone: p.text().primary(),
    name: p.text().primary(),
    x: p.float().columnType("double precision").nullable(),
    y: p.float().columnType("double precision").nullable(),
    z: p.float().columnType("double precision").nullable(),
    components: p.json<JsonObject>(),
  },
});

/** The table `edits`. `record` is a `realmwire.internal.v1.EditRecord`; the other columns repeat what one searches for. */
export const EditTable = defineEntity({
  name: "Edit",
  tableName: "edits",
  properties: {
    zone: p.text().primary(),
    revision: p.integer().primary(),
    author: p.text(),
    editedAt: p.datetime(3),
    record: p.blob(),
  },
});

/** The table `chat_messages`. `kind` holds the name of the enum value; `hearers` counts rows of `chat_hearings`. */
export const ChatMessageTable = defineEntity({
  name: "ChatMessage",
  tableName: "chat_messages",
  properties: {
    id: p.bigint("number").primary().autoincrement(),
    kind: p.text(),
    sender: p.text(),
    recipient: p.text(),
    zone: p.text(),
    text: p.text(),
    saidAt: p.datetime(3),
    entityId: p.bigint("number"),
    hearers: p.integer(),
  },
});

/**
 * The table `chat_hearings`: which character heard or said which message. It has rows rather than the message a list,
 * so that a character's history is one range of the key and forgetting a message touches no other hearer.
 */
export const ChatHearingTable = defineEntity({
  name: "ChatHearing",
  tableName: "chat_hearings",
  properties: {
    characterId: p.integer().primary(),
    messageId: p.bigint("number").primary(),
  },
});

/** The table `releases`: the current one of each platform. */
export const ReleaseTable = defineEntity({
  name: "Release",
  tableName: "releases",
  properties: {
    platform: p.text().primary(),
    version: p.text(),
    oldestWorking: p.text(),
    publishedAt: p.datetime(3),
  },
});

/** The table `facts`: values that belong to the world as a whole. */
export const FactTable = defineEntity({
  name: "Fact",
  tableName: "facts",
  properties: { key: p.text().primary(), value: p.text() },
});

/** All tables of the store. */
export const entities = [
  AccountTable,
  CharacterTable,
  SessionTable,
  PlacesTable,
  ObjectTable,
  EditTable,
  ChatMessageTable,
  ChatHearingTable,
  ReleaseTable,
  FactTable,
];
