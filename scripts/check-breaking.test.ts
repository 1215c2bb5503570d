import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkBreaking } from "./check-breaking.ts";

let scratch: string;
let folder: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "breaking-test-"));
  folder = join(scratch, "repository");
  mkdirSync(folder);
  git("init", "--quiet", "--initial-branch=work");
  write("README.md", "A repository.\n");
  commit();
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

function git(...args: string[]): void {
  const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  execFileSync("git", [...author, ...args], { cwd: folder, stdio: "ignore" });
}

function commit(): void {
  git("add", "--all");
  git("commit", "--quiet", "--allow-empty", "--message=x");
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function writeConfig(...modules: string[]): void {
  const lines = modules.map((path) => `  - path: ${path}\n`).join("");
  write("buf.yaml", `version: v2\nmodules:\n${lines}breaking:\n  use: [FILE]\n`);
}

function writeService(calls: string[], path = "third_party/other/v1/other.proto"): void {
  const rpcs = calls.map((call) => `  rpc ${call}(M) returns (M);\n`).join("");
  const name = path.split("/").at(-3);
  write(path, `syntax = "proto3";\npackage ${name}.v1;\nmessage M {}\nservice S {\n${rpcs}}\n`);
}

/** Commits a tree with one module of ours and one of others. */
function commitProtos(): void {
  writeConfig("proto", "third_party");
  writeService(["Get", "Set"], "proto/ours/v1/ours.proto");
  writeService(["Get", "Set"]);
  commit();
}

test("the first commit and a commit before the protos are skipped, and it says why", async () => {
  expect(await checkBreaking({ folder })).toEqual({
    kind: "skipped",
    reason: expect.stringContaining("first commit"),
  });
  commitProtos();
  expect(await checkBreaking({ folder })).toEqual({
    kind: "skipped",
    reason: expect.stringContaining("has no protos yet"),
  });
});

test("a deleted call fails, whether it is committed or not", async () => {
  commitProtos();
  commit();
  writeService(["Get"], "proto/ours/v1/ours.proto");
  const failed = {
    kind: "failed",
    output: expect.stringMatching(/"Set" on service "S" was deleted/),
  };
  expect(await checkBreaking({ folder })).toEqual(failed);
  commit();
  expect(await checkBreaking({ folder })).toEqual(failed);
});

test("a new call passes, and so do a new module and a change in third_party", async () => {
  commitProtos();
  commit();
  writeService(["Get", "Set", "New"], "proto/ours/v1/ours.proto");
  writeService(["Get"], "games/game/proto/game/v1/game.proto");
  writeService(["Get"]);
  writeConfig("proto", "games/game/proto", "third_party");
  expect(await checkBreaking({ folder })).toEqual({ kind: "passed" });
});

test("origin/main is what counts where there is one that differs", async () => {
  commitProtos();
  git("update-ref", "refs/remotes/origin/main", "HEAD");
  writeService(["Get"], "proto/ours/v1/ours.proto");
  commit();
  commit();
  expect(await checkBreaking({ folder })).toMatchObject({ kind: "failed" });
  expect(await checkBreaking({ folder, against: "HEAD~1" })).toEqual({ kind: "passed" });
});

test("a commit that is asked for and does not exist fails", async () => {
  commitProtos();
  expect(await checkBreaking({ folder, against: "nowhere" })).toEqual({
    kind: "failed",
    output: expect.stringContaining("no commit nowhere"),
  });
});

test("a shallow clone and a folder without git are skipped", async () => {
  commitProtos();
  const clone = join(scratch, "clone");
  git("clone", "--quiet", "--depth=1", `file://${folder}`, clone);
  expect(await checkBreaking({ folder: clone })).toEqual({
    kind: "skipped",
    reason: expect.stringContaining("too shallow"),
  });
  rmSync(join(clone, ".git"), { recursive: true });
  expect(await checkBreaking({ folder: clone })).toMatchObject({ kind: "skipped" });
});
