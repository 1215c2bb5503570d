import { expect, test } from "vitest";
import { createMemoryStorage, createWebStorage } from "./storage.ts";
import type { WebStorage } from "./storage.ts";

function createBrowserStore(): WebStorage {
  const entries = new Map<string, string>();
  return {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  };
}

test.each([
  ["memory", createMemoryStorage()],
  ["web", createWebStorage(createBrowserStore())],
])("%s storage keeps, replaces and removes", async (_, storage) => {
  expect((await storage.get("a")) ?? undefined).toBeUndefined();
  await storage.set("a", "1");
  await storage.set("b", "2");
  await storage.set("a", "3");
  expect(await storage.get("a")).toBe("3");
  await storage.remove("a");
  expect((await storage.get("a")) ?? undefined).toBeUndefined();
  expect(await storage.get("b")).toBe("2");
});
