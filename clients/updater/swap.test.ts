import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTree, writeTree } from "../../test/support/client-releases.ts";
import { findLayout, type Layout } from "./layout.ts";
import { takeLock } from "./lock.ts";
import { carryOwnFiles } from "./own-files.ts";
import { finishSwap, recover, swap } from "./swap.ts";

const OLD = { "a.txt": "old", "save.sav": "mine" };
const NEXT = { "a.txt": "new", "save.sav": "mine" };
const RELEASED = new Set(["a.txt"]);

let work: string;
let layout: Layout;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "realmwire-swap-"));
  layout = await findLayout(join(work, "client"));
  await mkdir(layout.staging);
  await writeTree(layout.folder, OLD);
  await writeTree(layout.next, NEXT);
});

afterEach(() => rm(work, { recursive: true, force: true }));

const text = (path: string) => readFile(join(layout.folder, path), "utf8");

test("what the user saved while the client was put together and swapped is there afterwards", async () => {
  await writeFile(join(layout.folder, "save.sav"), "mine, newer");
  await writeTree(layout.folder, { "saves/two.sav": "another" });
  await swap(layout, RELEASED);
  expect(await text("a.txt")).toBe("new");
  await finishSwap(layout);
  expect(await text("save.sav")).toBe("mine, newer");
  expect(await text("saves/two.sav")).toBe("another");
  expect(await text("a.txt")).toBe("new");
});

test("a folder that was made anew between the two renames: an empty one is of no use, another is not touched", async () => {
  await writeFile(layout.previousFiles, JSON.stringify([...RELEASED]));
  await rename(layout.folder, layout.previous);
  await writeTree(layout.folder, { "b.txt": "somebody's" });
  await expect(recover(layout)).rejects.toMatchObject({ failure: "wrong-folder" });
  expect(await text("b.txt")).toBe("somebody's");
  await rm(join(layout.folder, "b.txt"));
  await recover(layout);
  expect(Object.keys(await readTree(layout.folder))).toEqual(["a.txt", "save.sav"]);
  expect(await text("a.txt")).toBe("new");
});

test("without a next client the old one comes back", async () => {
  await writeFile(layout.previousFiles, JSON.stringify([...RELEASED]));
  await rename(layout.folder, layout.previous);
  await rm(layout.next, { recursive: true });
  await recover(layout);
  expect(await text("a.txt")).toBe("old");
});

test("an old client of which nobody knows what is the user's is not deleted", async () => {
  await swap(layout, RELEASED);
  await writeFile(layout.previousFiles, "spoiled");
  await expect(finishSwap(layout)).rejects.toThrow("nothing says what in it is yours");
  expect(Object.keys(await readTree(layout.previous))).toEqual(["a.txt", "save.sav"]);
});

test("a swap that fails leaves the old client", async () => {
  await rm(layout.next, { recursive: true });
  await expect(swap(layout, RELEASED)).rejects.toThrow("ENOENT");
  expect(await text("a.txt")).toBe("old");
});

test("files in folders where the release has a file, and names that are taken", async () => {
  const from = join(work, "from");
  const to = join(work, "to");
  await writeTree(from, {
    "dir/deep/own.txt": "1",
    "dir/deep/gone.txt": "-",
    "x/y.txt": "2",
    z: "3",
  });
  await writeTree(to, {
    dir: "a file",
    x: "a file",
    "x.saved": "taken",
    Z: "4",
    "z.saved/in": "5",
  });
  const options = {
    from,
    to,
    releasedBefore: new Set(["dir/deep/gone.txt"]),
    released: new Set(["dir", "x", "x.saved", "Z", "z.saved/in"]),
  };
  const renamed = await carryOwnFiles({ ...options, how: "link" });
  expect(renamed).toEqual(
    expect.arrayContaining([
      { from: "dir", to: "dir.saved" },
      { from: "x", to: "x.saved-2" },
    ]),
  );
  const tree = await readTree(to);
  expect(Object.keys(tree)).toEqual(
    expect.arrayContaining(["dir.saved/deep/own.txt", "x.saved-2/y.txt", "z"]),
  );
  // Taking over what changed afterwards finds them where they are.
  expect(await carryOwnFiles({ ...options, how: "move" })).toEqual(renamed);
  expect(await readTree(to)).toEqual(tree);
});

test("a lock is held once, ends with its release, and its file does not stay", async () => {
  const first = takeLock(layout.lock);
  expect(() => takeLock(layout.lock)).toThrow("another updater is at work");
  first.release();
  first.release();
  const second = takeLock(layout.lock);
  expect(() => takeLock(layout.lock)).toThrow("another updater is at work");
  second.release();
  await expect(readFile(layout.lock)).rejects.toThrow("ENOENT");
  expect(() => takeLock(join(work, "missing/lock"))).toThrow("another updater is at work");
});
