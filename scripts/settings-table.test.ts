import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { OPERATIONS, withSettingsTable } from "./settings-table.ts";

test("docs/operations.md has the settings as they are: npm run generate", async () => {
  const document = await readFile(OPERATIONS, "utf8");
  expect(document).toContain("| `--port <number>` | `PORT` | `8080` |");
  expect(withSettingsTable(document)).toBe(document);
});

test("a document without a place for them is refused", () => {
  expect(() => withSettingsTable("# Nothing\n")).toThrow("there is no place for settings");
});
