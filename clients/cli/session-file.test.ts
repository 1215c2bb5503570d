import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFileStorage, sessionPath, stateFolder } from "./session-file.ts";

test("a session is kept where only its owner reads it, and nothing else is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-state-"));
  try {
    const path = join(folder, "realmwire", "session.json");
    const storage = createFileStorage(path);
    expect(await storage.get("any")).toBeUndefined();
    await storage.set("any", "secret");
    await storage.set("any", "newer");
    expect(await storage.get("any")).toBe("newer");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(path, ".."))).toEqual(["session.json"]);
    await storage.remove("any");
    await storage.remove("any");
    expect(await storage.get("any")).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the folder is that of the XDG specification", () => {
  expect(stateFolder({ XDG_STATE_HOME: "/x", HOME: "/home/ada" })).toBe("/x/realmwire");
  expect(stateFolder({ XDG_STATE_HOME: "relative", HOME: "/home/ada" })).toBe(
    "/home/ada/.local/state/realmwire",
  );
  expect(stateFolder({ HOME: "/home/ada" })).toBe("/home/ada/.local/state/realmwire");
});

test("each server and each user has a file of its own, inside the folder whatever the names", () => {
  const paths = [
    sessionPath("/s", "http://localhost:8080", ""),
    sessionPath("/s", "http://localhost:8081", ""),
    sessionPath("/s", "http://localhost:8080/game", ""),
    sessionPath("/s", "http://localhost:8080", "ada"),
    sessionPath("/s", "http://localhost:8080", "../../ada"),
    sessionPath("/s", "http://localhost:8080", "a".repeat(500)),
  ];
  expect(new Set(paths).size).toBe(paths.length);
  for (const path of paths) expect(path).toMatch(/^\/s\/session-[\w.-]{1,60}-[0-9a-f]{8}\.json$/);
});
