import { Migration } from "@mikro-orm/migrations";

/** Accounts, characters, sessions, objects, edits, chat, releases, facts. */
export class InitialMigration extends Migration {
  override up(): void {
    this.addSql(
      `create table "accounts" ("id" serial primary key, "name" text not null, "name_key" text collate "C" not null,
        "role" text not null, "email" text not null, "password_hash" text not null,
        "created_at" timestamptz(3) not null, "last_character_id" int null)`,
    );
    this.addSql(
      `alter table "accounts" add constraint "accounts_name_key_unique" unique ("name_key")`,
    );

    this.addSql(
      `create table "characters" ("id" serial primary key, "account_id" int not null, "name" text not null,
        "name_key" text collate "C" not null, "zone" text not null, "x" double precision null,
        "y" double precision null, "z" double precision null, "components" jsonb not null,
        "created_at" timestamptz(3) not null)`,
    );
    this.addSql(`create index "characters_account_id_index" on "characters" ("account_id")`);
    this.addSql(
      `alter table "characters" add constraint "characters_name_key_unique" unique ("name_key")`,
    );
    this.addSql(
      `alter table "characters" add constraint "characters_account_id_foreign"
        foreign key ("account_id") references "accounts" ("id") on delete cascade`,
    );

    this.addSql(
      `create table "sessions" ("token_hash" bytea not null, "account_id" int not null, "character_id" int null,
        "state" text not null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null,
        primary key ("token_hash"))`,
    );
    this.addSql(`create index "sessions_account_id_index" on "sessions" ("account_id")`);
    this.addSql(`create index "sessions_expires_at_index" on "sessions" ("expires_at")`);
    this.addSql(
      `create unique index "sessions_live_character_unique" on "sessions" ("character_id")
        where "state" = 'SESSION_STATE_LIVE'`,
    );
    this.addSql(
      `alter table "sessions" add constraint "sessions_account_id_foreign"
        foreign key ("account_id") references "accounts" ("id") on delete cascade`,
    );
    this.addSql(
      `alter table "sessions" add constraint "sessions_character_id_foreign"
        foreign key ("character_id") references "characters" ("id") on delete set null`,
    );

    this.addSql(
      `create table "objects" ("zone" text not null, "name" text not null, "x" double precision null,
        "y" double precision null, "z" double precision null, "components" jsonb not null,
        primary key ("zone", "name"))`,
    );
    // Rows that are saved every second find room for their next version in the same page.
    this.addSql(`alter table "characters" set (fillfactor = 70)`);
    this.addSql(`alter table "objects" set (fillfactor = 70)`);

    this.addSql(
      `create table "edits" ("zone" text not null, "revision" int not null, "author" text not null,
        "edited_at" timestamptz(3) not null, "record" bytea not null, primary key ("zone", "revision"))`,
    );
    this.addSql(
      `create table "chat_messages" ("id" bigserial primary key, "kind" text not null, "sender" text not null,
        "recipient" text not null, "zone" text not null, "text" text not null, "said_at" timestamptz(3) not null,
        "entity_id" bigint not null, "hearers" int not null)`,
    );
    this.addSql(
      `create table "chat_hearings" ("character_id" int not null, "message_id" bigint not null,
        primary key ("character_id", "message_id"))`,
    );
    this.addSql(
      `create table "releases" ("platform" text not null, "version" text not null, "oldest_working" text not null,
        "published_at" timestamptz(3) not null, primary key ("platform"))`,
    );
    this.addSql(
      `create table "facts" ("key" text not null, "value" text not null, primary key ("key"))`,
    );
  }
}
