import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import {
  type AccountsNode,
  createTestClock,
  PEER,
  SESSION_TTL_MS,
  startAccounts,
  type TestClock,
} from "../../test/support/accounts.ts";
import { createLocalBus, type LocalBus } from "../bus/local-bus.ts";
import { DomainError } from "../errors.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Store } from "../store/store.ts";
import { createLoginThrottle } from "./login-throttle.ts";
import { createPasswords } from "./passwords.ts";
import type { SessionStanding } from "./session.ts";
import { createToken } from "./tokens.ts";

const PASSWORD = "correct horse";
const WRONG_TOKENS = 5;
const WRONG_PASSWORDS = 3;

let own: TestStore;
let store: Store;
let bus: LocalBus;
let clock: TestClock;
let node: AccountsNode;
let names = 0;
let hashes = 0;
let lookUps = 0;

beforeAll(async () => {
  own = await openTestStore();
  ({ store } = own);
});

afterAll(async () => {
  await own.dispose();
});

beforeEach(async () => {
  bus = createLocalBus();
  await bus.start();
  clock = createTestClock();
  const passwords = createPasswords();
  hashes = 0;
  lookUps = 0;
  node = await startAccounts({
    store: {
      ...store,
      findSession(hash) {
        lookUps += 1;
        return store.findSession(hash);
      },
    },
    bus,
    clock,
    accounts: {
      passwords: {
        ...passwords,
        verify(...request) {
          hashes += 1;
          return passwords.verify(...request);
        },
      },
      loginThrottle: createLoginThrottle({ perMinute: WRONG_PASSWORDS }),
      wrongTokensPerMinute: WRONG_TOKENS,
    },
  });
});

afterEach(async () => {
  await node.close();
  await bus.close();
});

/** A name that no other test uses. */
function newName(stem: string): string {
  names += 1;
  return `${stem}${names}`;
}

async function refusalOf(call: unknown): Promise<DomainError> {
  const error = await Promise.resolve(call).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DomainError)) throw new Error("it was not refused", { cause: error });
  return error;
}

test("[SM-2] to who guesses, a name that nobody has looks like one that somebody has, to the last hash", async () => {
  const known = newName("Known");
  await node.accounts.register({ name: known, password: PASSWORD });
  const seen = await Promise.all(
    [known, newName("Unknown")].map(async (name) => {
      const before = hashes;
      const answers: unknown[] = [];
      for (let i = 0; i < WRONG_PASSWORDS + 3; i++) {
        const { reason, message, details } = await refusalOf(
          node.accounts.login({ name, password: "wrong" }, PEER),
        );
        const { retryDelayMs, ...others } = details;
        answers.push({ reason, message, ...others, hasDelay: retryDelayMs !== undefined });
      }
      return { answers, before };
    }),
  );
  expect(seen[0]?.answers).toEqual(seen[1]?.answers);
  expect(hashes).toBe(2 * WRONG_PASSWORDS);
  // Now the right password does not help either, and is not looked at.
  const right = node.accounts.login(
    { name: known.toUpperCase(), password: PASSWORD },
    "198.51.100.1",
  );
  expect(await refusalOf(right)).toMatchObject({
    reason: ErrorReason.TOO_MANY_FAILURES,
    details: { metadata: { what: "passwords", limit: String(WRONG_PASSWORDS) } },
  });
  expect(hashes).toBe(2 * WRONG_PASSWORDS);
});

test("a password is guessed no faster by changing it", async () => {
  const { session } = await node.accounts.register({ name: newName("Ada"), password: PASSWORD });
  const change = () =>
    node.accounts.changePassword(session, { oldPassword: "wrong", newPassword: "other" }, PEER);
  for (let i = 0; i < WRONG_PASSWORDS; i++) {
    expect((await refusalOf(change())).reason).toBe(ErrorReason.CREDENTIALS_WRONG);
  }
  expect((await refusalOf(change())).reason).toBe(ErrorReason.TOO_MANY_FAILURES);
});

describe("wrong tokens", () => {
  test("are limited by address, and make the store look no further; who is known goes on", async () => {
    const known = await node.accounts.register({ name: newName("Ada"), password: PASSWORD });
    await node.accounts.authenticate(known.token, PEER);
    lookUps = 0;
    const reasons: ErrorReason[] = [];
    for (let i = 0; i < 4 * WRONG_TOKENS; i++) {
      const token = i % 2 === 0 ? createToken() : "no token at all";
      reasons.push((await refusalOf(node.accounts.authenticate(token, PEER))).reason);
    }
    const { TOKEN_INVALID, TOO_MANY_FAILURES } = ErrorReason;
    expect(reasons.slice(0, WRONG_TOKENS).every((reason) => reason === TOKEN_INVALID)).toBe(true);
    expect(reasons.slice(WRONG_TOKENS).every((reason) => reason === TOO_MANY_FAILURES)).toBe(true);
    expect(lookUps).toBeLessThanOrEqual(WRONG_TOKENS);
    expect(await node.accounts.authenticate(known.token, PEER)).toEqual(known.session);
    const elsewhere = node.accounts.authenticate(createToken(), "198.51.100.1");
    expect((await refusalOf(elsewhere)).reason).toBe(TOKEN_INVALID);
  });

  test("that are good do not count, however often they are looked up", async () => {
    const people = await Promise.all(
      Array.from({ length: WRONG_TOKENS }, () =>
        node.accounts.register({ name: newName("Many"), password: PASSWORD }),
      ),
    );
    for (let round = 0; round < 3; round++) {
      for (const { token, account } of people) {
        expect((await node.accounts.authenticate(token, PEER)).accountName).toBe(account.name);
        // So that it is looked up again.
        await node.accounts.setRole(account.name, Role.BUILDER);
      }
    }
  });

  test("that are good do not count, however many are looked up at once", async () => {
    const people = await Promise.all(
      Array.from({ length: 4 * WRONG_TOKENS }, () =>
        node.accounts.register({ name: newName("Crowd"), password: PASSWORD }),
      ),
    );
    // As after a restart: nobody is known.
    for (const { account } of people) await node.accounts.setRole(account.name, Role.BUILDER);
    lookUps = 0;
    const sessions = people.map(async ({ token }) => node.accounts.authenticate(token, PEER));
    expect((await Promise.all(sessions)).map(({ accountName }) => accountName)).toEqual(
      people.map(({ account }) => account.name),
    );
    expect(lookUps).toBeGreaterThan(WRONG_TOKENS);
  });

  test("that worked once count when they no longer do", async () => {
    const { token, session } = await node.accounts.register({
      name: newName("Ada"),
      password: PASSWORD,
    });
    await node.accounts.authenticate(token, PEER);
    await node.accounts.logout(session);
    for (let i = 0; i < WRONG_TOKENS; i++) await refusalOf(node.accounts.authenticate(token, PEER));
    const refusal = await refusalOf(node.accounts.authenticate(token, PEER));
    expect(refusal.reason).toBe(ErrorReason.TOO_MANY_FAILURES);
    expect(refusal.details.retryDelayMs).toBeGreaterThan(0);
  });
});

describe("who holds on to a session", () => {
  async function hold() {
    const { token, session, account } = await node.accounts.register({
      ...{ name: newName("Held"), password: PASSWORD },
    });
    const told: SessionStanding[] = [];
    const subscription = node.accounts.watch(session, (standing) => told.push(standing));
    return { token, session, account, told, subscription };
  }
  const over = (reason: ErrorReason) => ({
    kind: "over",
    error: expect.objectContaining({ reason }) as unknown,
  });

  test("is told of a logout, and of a login that replaces it", async () => {
    const one = await hold();
    await node.accounts.logout(one.session);
    expect(one.told.at(-1)).toEqual(over(ErrorReason.TOKEN_INVALID));
    const two = await hold();
    await node.accounts.login({ name: two.account.name, password: PASSWORD }, PEER);
    expect(two.told.at(-1)).toEqual(over(ErrorReason.SESSION_REPLACED));
  });

  test("is told of a new role", async () => {
    const { told, account } = await hold();
    await node.accounts.setRole(account.name, Role.BUILDER);
    const isBuilder = { kind: "live", session: expect.objectContaining({ role: Role.BUILDER }) };
    await expect.poll(() => told).toContainEqual(isBuilder);
  });

  test("is told when it runs out, which holding on does not put off, but calling does", async () => {
    const held = await hold();
    const used = await hold();
    await expect.poll(() => held.told.length, { timeout: 5_000 }).toBe(1);
    clock.pass(SESSION_TTL_MS * 0.7);
    await node.accounts.authenticate(used.token, PEER);
    await expect
      .poll(async () => (await store.findSession(Buffer.from(used.session.key, "hex")))?.session)
      .not.toMatchObject({ expiresAt: undefined });
    clock.pass(SESSION_TTL_MS * 0.4);
    await expect
      .poll(() => held.told.at(-1), { timeout: 5_000 })
      .toEqual(over(ErrorReason.TOKEN_INVALID));
    expect(used.told.every(({ kind }) => kind === "live")).toBe(true);
  });

  test("hears nothing any more after letting go", async () => {
    const { told, session, subscription } = await hold();
    subscription.close();
    await node.accounts.logout(session);
    expect(told).toEqual([]);
  });
});
