import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createToken, hashToken, isToken, sessionKey, tokenHashOf } from "./tokens.ts";

test("tokens are 256 bits of chance in base64url, each another", () => {
  const tokens = Array.from({ length: 1_000 }, createToken);
  expect(new Set(tokens).size).toBe(1_000);
  for (const token of tokens) {
    expect(isToken(token)).toBe(true);
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
  }
});

test("other texts are not tokens", () => {
  for (const text of ["", "x", `${createToken()}=`, createToken().slice(1), "ö".repeat(43)]) {
    expect(isToken(text)).toBe(false);
  }
});

test("a session is known by the SHA-256 of its token", () => {
  const token = createToken();
  const key = sessionKey(hashToken(token));
  expect(key).toBe(createHash("sha256").update(token).digest("hex"));
  expect(tokenHashOf(key)).toEqual(hashToken(token));
});
