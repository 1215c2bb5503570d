import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DATABASE_FOLDER, databaseFolder } from "./pglite-folder.ts";

const PREFIX = `${DATABASE_FOLDER}.before-restore-`;

/** The name under which a database is kept beside the one that is restored over it. */
export function asideName(now: Date): string {
  return PREFIX + now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

/**
 * Throws when a data folder has no database but one that was set aside: a restore ended between the two, and a
 * server that made a new one would seem to have lost everything.
 */
export function refuseHalfRestored(dataDir: string): void {
  if (existsSync(databaseFolder(dataDir))) return;
  const aside = readdirSync(dataDir)
    .filter((name) => name.startsWith(PREFIX))
    .toSorted()
    .at(-1);
  if (aside === undefined) return;
  throw new Error(
    `${dataDir} has no database, but one that a restore has set aside: restore again, or rename ` +
      `${join(dataDir, aside)} to ${DATABASE_FOLDER}. For a new world, move it elsewhere.`,
  );
}
