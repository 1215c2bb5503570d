import { InitialMigration } from "./0001-initial.ts";
import { BansMigration } from "./0002-bans.ts";
import { PlacesMigration } from "./0003-places.ts";

/** All migrations in their order. A migration that was released is never changed: another one follows it. */
export const migrations = [
  { name: "0001-initial", class: InitialMigration },
  { name: "0002-bans", class: BansMigration },
  { name: "0003-places", class: PlacesMigration },
];
