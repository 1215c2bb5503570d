import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { completeCopy, copyWhileWritten } from "./folder-copy.ts";

let folder: string;
let from: string;
let to: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "folder-copy-"));
  from = join(folder, "from");
  to = join(folder, "to");
  await mkdir(join(from, "sub/empty"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, text: string, agoMs = 60_000): Promise<void> {
  await writeFile(join(from, name), text);
  const time = new Date(Date.now() - agoMs);
  await utimes(join(from, name), time, time);
}

async function contents(root: string): Promise<Record<string, string>> {
  const items = await readdir(root, { recursive: true, withFileTypes: true });
  const entries = items.map(async (item) => {
    const path = join(item.parentPath, item.name);
    return [path.slice(root.length), item.isDirectory() ? "/" : await readFile(path, "utf8")];
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<string, string>;
}

test("what changes, comes and goes after the first copy is made up for", async () => {
  await write("still", "as before");
  await write("sub/changed", "old");
  await write("gone", "soon");
  const copied = await copyWhileWritten(from, to);
  await write("sub/changed", "new", 30_000);
  await write("sub/empty/come", "hello");
  await rm(join(from, "gone"));
  completeCopy(from, to, copied);
  expect(await contents(to)).toEqual(await contents(from));
});

test("a file that was written a moment ago is copied again, for a clock may not tell its next change", async () => {
  await write("old", "1");
  await write("fresh", "1", 100);
  const copied = await copyWhileWritten(from, to);
  expect([...copied.keys()]).toEqual(["old"]);
});

test("a file that did not change is not copied again", async () => {
  await write("still", "as before");
  const copied = await copyWhileWritten(from, to);
  await writeFile(join(to, "still"), "marked");
  completeCopy(from, to, copied);
  expect(await readFile(join(to, "still"), "utf8")).toBe("marked");
});
