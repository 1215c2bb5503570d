import { Migration } from "@mikro-orm/migrations";

/** Bans of accounts, and why admins ended sessions. */
export class BansMigration extends Migration {
  override up(): void {
    this.addSql(
      `alter table "accounts" add column "ban_reason" text null, add column "ban_since" timestamptz(3) null,
        add column "ban_until" timestamptz(3) null, add column "ban_by" text null`,
    );
    this.addSql(`alter table "sessions" add column "end_reason" text not null default ''`);
  }
}
