import { Migration } from "@mikro-orm/migrations";

/** Where the characters of a zone are, in one row. */
export class PlacesMigration extends Migration {
  override up(): void {
    this.addSql(`create sequence "save_numbers"`);
    this.addSql(`alter table "characters" add column "save_number" bigint not null default 0`);
    this.addSql(
      `create table "places" ("zone" text not null, "save_number" bigint not null, "ids" int[] not null,
        "xs" double precision[] not null, "ys" double precision[] not null, primary key ("zone"))`,
    );
    // Written each second: packing takes longer than writing, and numbers hardly get shorter by it.
    this.addSql(
      `alter table "places" alter column "ids" set storage external, alter column "xs" set storage external,
        alter column "ys" set storage external`,
    );
  }
}
