import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

test("work on one key is done one after the other, in order; other keys do not wait", async () => {
  const turns = createTurns<string>();
  const done: string[] = [];
  const gates = new Map<string, () => void>();
  const work = (name: string) => async () => {
    done.push(`${name} begins`);
    await new Promise<void>((resolve) => gates.set(name, resolve));
    done.push(`${name} ends`);
    return name;
  };
  const first = turns.take("a", work("first"));
  const second = turns.take("a", work("second"));
  const other = turns.take("b", work("other"));
  await Promise.resolve();
  await Promise.resolve();
  expect(done).toEqual(["first begins", "other begins"]);
  gates.get("other")?.();
  expect(await other).toBe("other");
  gates.get("first")?.();
  expect(await first).toBe("first");
  await expect.poll(() => gates.has("second")).toBe(true);
  gates.get("second")?.();
  expect(await second).toBe("second");
  expect(done).toEqual([
    "first begins",
    "other begins",
    "other ends",
    "first ends",
    "second begins",
    "second ends",
  ]);
});

test("work that fails reaches only its own caller, and the next has its turn", async () => {
  const turns = createTurns<number>();
  const failing = turns.take(1, () => Promise.reject(new Error("no")));
  const throwing = turns.take(1, () => {
    throw new Error("not even begun");
  });
  const next = turns.take(1, async () => "next");
  await expect(failing).rejects.toThrow("no");
  await expect(throwing).rejects.toThrow("not even begun");
  expect(await next).toBe("next");
});

test("100 reads and writes at once lose nothing", async () => {
  const turns = createTurns<string>();
  let count = 0;
  const increment = async () => {
    const before = count;
    await new Promise((resolve) => setImmediate(resolve));
    count = before + 1;
  };
  await Promise.all(Array.from({ length: 100 }, () => turns.take("count", increment)));
  expect(count).toBe(100);
});
