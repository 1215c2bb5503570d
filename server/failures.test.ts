import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";
import { createFailureLimit } from "./failures.ts";

test("so many failures at once, then as many a minute; what did not fail does not count", () => {
  let time = 0;
  const limit = createFailureLimit({ what: "tokens", perMinute: 3, now: () => time });
  for (let i = 0; i < 10; i++) {
    limit.begin("ada");
    limit.forgive("ada");
  }
  for (let i = 0; i < 3; i++) limit.begin("ada");
  expect(() => limit.begin("ada")).toThrow(
    expect.objectContaining({
      reason: ErrorReason.TOO_MANY_FAILURES,
      message: "too many wrong tokens: more than 3 a minute",
      details: { metadata: { what: "tokens", limit: "3" }, retryDelayMs: 20_000 },
    }),
  );
  limit.begin("bob");
  time += 19_999;
  expect(() => limit.begin("ada")).toThrow();
  time += 1;
  limit.begin("ada");
  expect(() => limit.begin("ada")).toThrow();
});

test("tries at once, more than may fail: the honest take their turns, and of the others no more fail than may", async () => {
  const limit = createFailureLimit({ what: "tokens", perMinute: 3, now: () => 0 });
  let open = 0;
  let most = 0;
  const attempt = (fails: boolean) =>
    limit.attempt(
      "ada",
      async () => {
        most = Math.max(most, ++open);
        await setImmediate();
        open -= 1;
        if (fails) throw new Error("wrong");
        return "right";
      },
      () => true,
    );
  const honest = await Promise.all(Array.from({ length: 50 }, () => attempt(false)));
  expect(honest).toEqual(Array(50).fill("right"));
  expect(most).toBe(3);
  const others = await Promise.allSettled(Array.from({ length: 50 }, () => attempt(true)));
  const reasons = others.map((other) => (other as PromiseRejectedResult).reason.message);
  expect(reasons.filter((reason) => reason === "wrong")).toHaveLength(3);
  expect(reasons.filter((reason) => reason.startsWith("too many wrong tokens"))).toHaveLength(47);
});

test("a try that fails for another reason does not count", async () => {
  const limit = createFailureLimit({ what: "tokens", perMinute: 1, now: () => 0 });
  const away = () => Promise.reject(new Error("the store is away"));
  for (let i = 0; i < 3; i++) {
    await expect(limit.attempt("ada", away, () => false)).rejects.toThrow("the store is away");
  }
});
