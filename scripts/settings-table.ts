import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createCommand } from "../server/config.ts";

/** Where the table stands. */
export const OPERATIONS = resolve(import.meta.dirname, "../docs/operations.md");
const BEGIN = "<!-- settings: npm run generate -->";
const END = "<!-- /settings -->";

/** The table of all settings, in Markdown. */
function settingsTable(): string {
  const rows = createCommand("").options.flatMap(({ flags, envVar, description, defaultValue }) => {
    if (envVar === undefined) return [];
    const standard = defaultValue === undefined ? "" : `\`${String(defaultValue)}\``;
    const cell = (text: string) => text.replaceAll("|", "\\|");
    return [`| \`${cell(flags)}\` | \`${envVar}\` | ${standard} | ${cell(description)} |`];
  });
  return ["| flag | variable | default | what it is |", "|---|---|---|---|", ...rows].join("\n");
}

/** A document with the present table in its place. Throws when it has none. */
export function withSettingsTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for settings: ${BEGIN} … ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${settingsTable()}\n\n${document.slice(to)}`;
}

if (import.meta.main) {
  await writeFile(OPERATIONS, withSettingsTable(await readFile(OPERATIONS, "utf8")));
}
