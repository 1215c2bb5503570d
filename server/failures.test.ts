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
