import { argon2Sync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { type DomainError, hasReason } from "../errors.ts";
import { createPasswords, hashesAtOnce } from "./passwords.ts";
import { formatPhc, parsePhc } from "./phc.ts";

/** A hash with other, cheaper parameters than the server's own. */
function otherHash(password: string): string {
  const salt = new Uint8Array(12).fill(7);
  const tag = argon2Sync("argon2id", {
    message: password,
    nonce: salt,
    memory: 64,
    passes: 3,
    parallelism: 2,
    tagLength: 24,
  });
  return formatPhc({ memoryKib: 64, passes: 3, parallelism: 2, salt, tag });
}

describe("passwords", () => {
  test("[AL-2] are stored as argon2id with a salt of their own", async () => {
    const passwords = createPasswords();
    const [one, two] = await Promise.all([
      passwords.hash("swordfish"),
      passwords.hash("swordfish"),
    ]);
    expect(one).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    expect(one).not.toBe(two);
    expect(await passwords.verify("swordfish", one)).toBe(true);
    expect(await passwords.verify("swordfisH", one)).toBe(false);
  });

  test("give the tag that another implementation of Argon2 gives", async () => {
    // From the reference implementation's own tests: argon2id, m = 2^16, t = 2, p = 1.
    const reference =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    expect(await createPasswords().verify("password", reference)).toBe(true);
    expect(await createPasswords().verify("Password", reference)).toBe(false);
  });

  test("may have been hashed with other parameters", async () => {
    const passwords = createPasswords();
    expect(await passwords.verify("swordfish", otherHash("swordfish"))).toBe(true);
    expect(await passwords.verify("other", otherHash("swordfish"))).toBe(false);
  });

  test("are the same however their letters are composed", async () => {
    const passwords = createPasswords();
    expect(await passwords.verify("cafe\u0301-owl", await passwords.hash("caf\u00e9-owl"))).toBe(
      true,
    );
  });

  test("of nobody cost as much as a wrong one", async () => {
    const passwords = createPasswords();
    const stored = await passwords.hash("swordfish");
    // In turn, and the least of several times: what the work itself takes, whatever else the machine does.
    const least = { wrong: Infinity, nobody: Infinity };
    for (let i = 0; i < 8; i++) {
      for (const [who, phc] of [
        ["wrong", stored],
        ["nobody", undefined],
      ] as const) {
        const begin = performance.now();
        expect(await passwords.verify("wrong", phc)).toBe(false);
        least[who] = Math.min(least[who], performance.now() - begin);
      }
    }
    // Without the work it would be a thousandth.
    expect(least.nobody / least.wrong).toBeGreaterThan(0.25);
    expect(least.nobody / least.wrong).toBeLessThan(4);
  });

  test("are hashed off the main thread", async () => {
    const passwords = createPasswords();
    let turns = 0;
    let done = false;
    const hashes = Promise.all([1, 2, 3, 4].map((n) => passwords.hash(`password ${n}`)));
    void hashes.finally(() => (done = true));
    while (!done) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // On the main thread there would be about one turn for each hash.
    expect(turns).toBeGreaterThan(100);
  });

  test("leave a core to the world, and half of Node's threads to others", () => {
    expect([1, 2, 3, 4, 64].map(hashesAtOnce)).toEqual([1, 1, 2, 2, 2]);
  });

  test("wait in a bounded queue", async () => {
    const passwords = createPasswords({ maxRunning: 1, maxWaiting: 2 });
    const phc = otherHash("swordfish");
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(() => passwords.verify("swordfish", phc)),
    );
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    const refused: unknown = results[3]?.status === "rejected" ? results[3].reason : undefined;
    expect(hasReason(refused, ErrorReason.TOO_MANY_CALLS)).toBe(true);
    expect((refused as DomainError).details.retryDelayMs).toBeGreaterThan(0);
    // The queue is free again afterwards.
    expect(await passwords.verify("swordfish", phc)).toBe(true);
  });

  test("that would wait too long are sent away with a moment of their own, and all get in", async () => {
    const passwords = createPasswords({ maxRunning: 1, maxWaitMs: 300 });
    const phc = await passwords.hash("swordfish");
    const delays: number[] = [];
    const getIn = async (): Promise<boolean> => {
      try {
        return await passwords.verify("swordfish", phc);
      } catch (error) {
        if (!hasReason(error, ErrorReason.TOO_MANY_CALLS)) throw error;
        delays.push(error.details.retryDelayMs ?? 0);
        await new Promise((resolve) => setTimeout(resolve, delays.at(-1)));
        return getIn();
      }
    };
    const all = Array.from({ length: 60 }, getIn);
    await new Promise((resolve) => setImmediate(resolve));
    const first = [...delays];
    expect(first.length).toBeGreaterThan(20);
    expect(first.length).toBeLessThan(60);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(1_000);
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    // Spread as far as their work goes.
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(first.length * 5);
    expect(await Promise.all(all)).toEqual(Array.from({ length: 60 }, () => true));
  });

  test("of a caller who went away are not hashed, and leave their place to others", async () => {
    const passwords = createPasswords({ maxRunning: 1, maxWaiting: 1 });
    const phc = otherHash("swordfish");
    const running = passwords.verify("swordfish", phc);
    const caller = new AbortController();
    const waiting = passwords.verify("swordfish", phc, caller.signal);
    caller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    const next = passwords.verify("swordfish", phc);
    expect(await Promise.all([running, next])).toEqual([true, true]);
  });
});

describe("PHC strings", () => {
  test("are written as they are read", () => {
    const text = otherHash("swordfish");
    expect(formatPhc(parsePhc(text))).toBe(text);
  });

  test.each([
    ["nothing", ""],
    ["plain text", "swordfish"],
    [
      "another function",
      "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
    ],
    [
      "another version",
      "$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
    ],
    [
      "too much memory",
      "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
    ],
    [
      "too many passes",
      "$argon2id$v=19$m=19456,t=99,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
    ],
    [
      "too many lanes",
      "$argon2id$v=19$m=19456,t=2,p=99$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8",
    ],
    ["a short tag", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXP"],
  ])("are refused: %s", (_, text) => {
    expect(() => parsePhc(text)).toThrow("stored password");
  });
});
