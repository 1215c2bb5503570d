import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Child, startChild } from "../../test/contracts/store-children.ts";
import { FolderInUseError, lockFolder } from "./folder-lock.ts";

let folder: string;
let child: Child | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "realmwire-lock-"));
});
afterEach(async () => {
  await child?.kill();
  rmSync(folder, { recursive: true, force: true });
});

function refusal(path: string): FolderInUseError {
  try {
    lockFolder(path).release();
  } catch (error) {
    if (error instanceof FolderInUseError) return error;
    throw error;
  }
  throw new Error("The folder was not refused.");
}

test("a folder belongs to one server, also within one process", () => {
  const lock = lockFolder(join(folder, "not", "there", "yet"));
  const error = refusal(join(folder, "not", "there", "yet", ".", ""));
  expect(error.pid).toBe(process.pid);
  lock.release();
  lock.release();
  lockFolder(join(folder, "not", "there", "yet")).release();
});

test("the refusal names the folder and the other process; its lock dies with it, even by kill -9", async () => {
  child = startChild("./store-child-lock.ts", [folder]);
  expect(await child.nextLine()).toBe("locked");
  const error = refusal(folder);
  expect(error.message).toContain(folder);
  expect(error.message).toContain(`process ${child.pid}`);
  await child.kill();
  lockFolder(folder).release();
});
