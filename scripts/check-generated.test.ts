import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compareFolders } from "./check-generated.ts";

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "generated-test-"));
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

function writeFolder(name: string, files: Record<string, string>): string {
  mkdirSync(join(scratch, name, "deep"), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(join(scratch, name, path), content);
  }
  return join(scratch, name);
}

test("folders of the same content do not differ", async () => {
  const files = { "a.ts": "a", "deep/b.ts": "b" };
  const [had, wanted] = [writeFolder("had", files), writeFolder("wanted", files)];
  expect(await compareFolders(had, wanted, "gen")).toEqual([]);
});

test("what is edited, missing or left over is named", async () => {
  const had = writeFolder("had", { "a.ts": "edited", "deep/old.ts": "" });
  const wanted = writeFolder("wanted", { "a.ts": "a", "deep/new.ts": "" });
  expect(await compareFolders(had, wanted, "gen")).toEqual([
    "gen/a.ts is out of date, or was edited",
    "gen/deep/new.ts is missing",
    "gen/deep/old.ts is generated from no proto any more",
  ]);
  expect(await compareFolders(join(scratch, "nowhere"), wanted, "gen")).toHaveLength(2);
});
