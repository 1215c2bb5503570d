import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import {
  type AccountsNode,
  createTestClock,
  PEER,
  RESERVED_NAME,
  SESSION_TTL_MS,
  startAccounts,
  type TestClock,
} from "../../test/support/accounts.ts";
import { createLocalBus, type LocalBus } from "../bus/local-bus.ts";
import { DomainError } from "../errors.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Store } from "../store/store.ts";
import type { Accounts } from "./accounts.ts";
import { createToken, hashToken, sessionKey } from "./tokens.ts";

const PASSWORD = "correct horse";

let own: TestStore;
let store: Store;
let bus: LocalBus;
let clock: TestClock;
let here: AccountsNode;
let there: AccountsNode;
let accounts: Accounts;
let names = 0;

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
  here = await startAccounts({ store, bus, clock });
  there = await startAccounts({ store, bus, clock });
  accounts = here.accounts;
});

afterEach(async () => {
  await here.close();
  await there.close();
  await bus.close();
});

/** A name that no other test uses. */
function newName(): string {
  names++;
  return `Player${names}`;
}

async function register(name = newName()) {
  return accounts.register({ name, password: PASSWORD });
}

/** The reason and the message with which something is refused. */
async function refusal(promise: unknown): Promise<[ErrorReason, string]> {
  const error = await Promise.resolve(promise).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DomainError);
  const { reason, message } = error as DomainError;
  return [reason, message];
}

async function expectRefusal(promise: unknown, reason: ErrorReason): Promise<void> {
  expect((await refusal(promise))[0]).toBe(reason);
}

describe("registering", () => {
  test("[PY-4] creates an account with a character of its name, and logs in", async () => {
    const name = newName();
    const email = "someone@example.org";
    const result = await accounts.register({ name, password: PASSWORD, email });
    expect(result.account).toMatchObject({ name, email, role: Role.PLAYER });
    expect(result.characters.map((character) => character.name)).toEqual([name]);
    expect(timestampMs(result.expiresAt)).toBe(clock.now() + SESSION_TTL_MS);
    expect(await accounts.authenticate(result.token, PEER)).toEqual({
      key: sessionKey(hashToken(result.token)),
      accountId: result.account.id,
      accountName: name,
      role: Role.PLAYER,
      character: { id: result.characters[0]?.id, name },
    });
    expect(result.session).toEqual(await accounts.authenticate(result.token, PEER));
  });

  test("[AL-2] stores neither the password nor the token", async () => {
    const { account, token } = await register();
    expect((await store.findAccount(account.name))?.passwordHash).toMatch(/^\$argon2id\$/);
    const view = await store.findSession(hashToken(token));
    expect(JSON.stringify(view?.session.tokenHash)).not.toContain(token);
  });

  test("[SM-1] a name is taken in whatever case, also when it is asked for at once", async () => {
    const { account } = await register();
    await expectRefusal(register(account.name.toUpperCase()), ErrorReason.NAME_TAKEN);
    const name = newName();
    const results = await Promise.allSettled([register(name), register(name.toLowerCase())]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("a character's name is taken too", async () => {
    const { session } = await register();
    const name = newName();
    await accounts.createCharacter(session, name);
    await expectRefusal(register(name), ErrorReason.NAME_TAKEN);
  });
});

describe("logging in", () => {
  test("[PY-3][SM-2] gives a token that works on every node", async () => {
    const { account } = await register();
    const credentials = { name: account.name.toUpperCase(), password: PASSWORD };
    const { token, session } = await accounts.login(credentials, PEER);
    expect(await there.accounts.authenticate(token, PEER)).toEqual(session);
  });

  test("[SM-2] a wrong password and an unknown name look alike", async () => {
    const { account } = await register();
    const wrong = await refusal(accounts.login({ name: account.name, password: "wrong" }, PEER));
    const unknown = await refusal(accounts.login({ name: newName(), password: PASSWORD }, PEER));
    expect(wrong[0]).toBe(ErrorReason.CREDENTIALS_WRONG);
    expect(unknown).toEqual(wrong);
  });

  test("selects the character that was played last, or the one that is named", async () => {
    const { account, session } = await register();
    const second = newName();
    await accounts.createCharacter(session, second);
    const credentials = { name: account.name, password: PASSWORD };
    expect((await accounts.login(credentials, PEER)).session.character?.name).toBe(account.name);
    const named = await accounts.login({ ...credentials, character: second.toLowerCase() }, PEER);
    expect(named.session.character?.name).toBe(second);
    expect(named.characters.map(({ name }) => name)).toEqual([account.name, second]);
    expect((await accounts.login(credentials, PEER)).session.character?.name).toBe(second);
  });

  test("selects the first character when the last one is gone, and none when there is none", async () => {
    const { account, session } = await register();
    const second = newName();
    await accounts.createCharacter(session, second);
    await accounts.selectCharacter(session, second);
    await store.deleteCharacter((await store.findCharacter(second))?.id ?? 0);
    const credentials = { name: account.name, password: PASSWORD };
    expect((await accounts.login(credentials, PEER)).session.character?.name).toBe(account.name);
    await store.deleteCharacter((await store.findCharacter(account.name))?.id ?? 0);
    const without = await accounts.login(credentials, PEER);
    expect(without.session.character).toBeUndefined();
    expect((await accounts.authenticate(without.token, PEER)).character).toBeUndefined();
  });

  test("does not give somebody else's character", async () => {
    const { account } = await register();
    const other = await register();
    const credentials = { name: account.name, password: PASSWORD, character: other.account.name };
    await expectRefusal(accounts.login(credentials, PEER), ErrorReason.CHARACTER_UNKNOWN);
    expect(await accounts.authenticate(other.token, PEER)).toEqual(other.session);
  });

  test("[JW-6] replaces the session that plays the same character, on all nodes", async () => {
    const first = await register();
    await there.accounts.authenticate(first.token, PEER);
    const told: unknown[] = [];
    here.accounts.onSessionEnded((key, end) => told.push(["here", key, end]));
    there.accounts.onSessionEnded((key, end) => told.push(["there", key, end]));
    const second = await accounts.login({ name: first.account.name, password: PASSWORD }, PEER);
    for (const node of [here, there]) {
      await expectRefusal(
        node.accounts.authenticate(first.token, PEER),
        ErrorReason.SESSION_REPLACED,
      );
      expect(await node.accounts.authenticate(second.token, PEER)).toEqual(second.session);
    }
    expect(told).toEqual([
      ["here", first.session.key, { kind: "replaced" }],
      ["there", first.session.key, { kind: "replaced" }],
    ]);
  });

  test("leaves sessions that play other characters alone", async () => {
    const first = await register();
    const second = newName();
    await accounts.createCharacter(first.session, second);
    await accounts.login({ name: first.account.name, password: PASSWORD, character: second }, PEER);
    expect(await accounts.authenticate(first.token, PEER)).toEqual(first.session);
  });
});

describe("a session", () => {
  test("[SM-4] ends everywhere with a logout", async () => {
    const { token, session } = await register();
    await there.accounts.authenticate(token, PEER);
    const told: unknown[] = [];
    there.accounts.onSessionEnded((key, end) => told.push([key, end]));
    await accounts.logout(session);
    await expectRefusal(here.accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    await expectRefusal(there.accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    expect(told).toEqual([[session.key, { kind: "ended" }]]);
    // A node that knew nothing of it reads the same from the store.
    const third = await startAccounts({ store, bus, clock });
    await expectRefusal(third.accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    await third.close();
  });

  test("is not found by a token that is made up", async () => {
    for (const token of ["", "x", createToken(), "ö".repeat(43), "a".repeat(100_000)]) {
      await expectRefusal(accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    }
  });

  test("runs out when it is not used", async () => {
    const { token } = await register();
    await accounts.authenticate(token, PEER);
    clock.pass(SESSION_TTL_MS);
    await expectRefusal(accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    expect(await store.findSession(hashToken(token))).toBeDefined();
  });

  test("lives on as long as it is used", async () => {
    const { token, session } = await register();
    for (let i = 0; i < 6; i++) {
      clock.pass(SESSION_TTL_MS * 0.4);
      expect(await accounts.authenticate(token, PEER)).toEqual(session);
      // Closing waits for the extension that runs in the background.
      await here.close();
      here = await startAccounts({ store, bus, clock });
      accounts = here.accounts;
    }
  });

  test("is not written at every call, but only once when half of its life is over, and then known", async () => {
    let extensions = 0;
    let lookUps = 0;
    const counting: Store = {
      ...store,
      findSession(hash) {
        lookUps++;
        return store.findSession(hash);
      },
      async extendSession(...args) {
        await store.extendSession(...args);
        extensions++;
      },
    };
    const node = await startAccounts({ store: counting, bus, clock });
    const { token } = await register();
    clock.pass(SESSION_TTL_MS / 2);
    await node.accounts.authenticate(token, PEER);
    expect(extensions).toBe(0);
    clock.pass(1);
    await Promise.all([1, 2, 3].map(async () => node.accounts.authenticate(token, PEER)));
    await expect.poll(() => extensions).toBe(1);
    lookUps = 0;
    for (let i = 0; i < 20; i++) await node.accounts.authenticate(token, PEER);
    await node.close();
    expect({ extensions, lookUps }).toEqual({ extensions: 1, lookUps: 0 });
  });

  test("works on while the store cannot extend it", async () => {
    const away: Store = { ...store, extendSession: () => Promise.reject(new Error("away")) };
    const node = await startAccounts({ store: away, bus, clock });
    const { token, session } = await register();
    clock.pass(SESSION_TTL_MS * 0.75);
    expect(await node.accounts.authenticate(token, PEER)).toEqual(session);
    await node.close();
    expect(node.log.map(({ message }) => message)).toContain("a session was not extended");
  });

  test("that is known works on while the store is away", async () => {
    let isAway = false;
    const leaving: Store = {
      ...store,
      findSession(hash) {
        const away = new DomainError(ErrorReason.STORE_UNAVAILABLE, "away");
        return isAway ? Promise.reject(away) : store.findSession(hash);
      },
    };
    const node = await startAccounts({ store: leaving, bus, clock });
    const known = await register();
    const unknown = await register();
    await node.accounts.authenticate(known.token, PEER);
    isAway = true;
    clock.pass(10 * 60_000);
    expect(await node.accounts.authenticate(known.token, PEER)).toEqual(known.session);
    await expectRefusal(
      node.accounts.authenticate(unknown.token, PEER),
      ErrorReason.STORE_UNAVAILABLE,
    );
    // A logout at another node is heard all the same.
    await accounts.logout(known.session);
    await expectRefusal(node.accounts.authenticate(known.token, PEER), ErrorReason.TOKEN_INVALID);
    await node.close();
  });

  test("is looked up once, however many ask, and again when the news of its end may have been lost", async () => {
    let lookUps = 0;
    const counting: Store = {
      ...store,
      findSession(hash) {
        lookUps++;
        return store.findSession(hash);
      },
    };
    const node = await startAccounts({ store: counting, bus, clock });
    const { token } = await register();
    await Promise.all(
      Array.from({ length: 50 }, async () => node.accounts.authenticate(token, PEER)),
    );
    await node.accounts.authenticate(token, PEER);
    expect(lookUps).toBe(1);
    // Nobody tells of this one.
    await store.endSession(hashToken(token), SessionState.ENDED);
    clock.pass(60_000);
    await expectRefusal(node.accounts.authenticate(token, PEER), ErrorReason.TOKEN_INVALID);
    await node.close();
  });

  test("is deleted at a start after it ran out", async () => {
    const { token } = await register();
    clock.pass(SESSION_TTL_MS + 1);
    const node = await startAccounts({ store, bus, clock });
    expect(await store.findSession(hashToken(token))).toBeUndefined();
    await node.close();
  });
});

describe("changing the password", () => {
  test("needs the present one", async () => {
    const { session, account } = await register();
    await expectRefusal(
      accounts.changePassword(
        session,
        { oldPassword: "wrong", newPassword: "another horse" },
        PEER,
      ),
      ErrorReason.CREDENTIALS_WRONG,
    );
    await accounts.login({ name: account.name, password: PASSWORD }, PEER);
  });

  test("ends the other sessions of the account, not this one", async () => {
    const first = await register();
    const name = newName();
    await accounts.createCharacter(first.session, name);
    const credentials = { name: first.account.name, password: PASSWORD };
    const second = await accounts.login({ ...credentials, character: name }, PEER);
    await there.accounts.authenticate(first.token, PEER);
    await accounts.changePassword(
      second.session,
      { oldPassword: PASSWORD, newPassword: "another horse" },
      PEER,
    );
    await expectRefusal(there.accounts.authenticate(first.token, PEER), ErrorReason.TOKEN_INVALID);
    expect(await there.accounts.authenticate(second.token, PEER)).toEqual(second.session);
    await expectRefusal(accounts.login(credentials, PEER), ErrorReason.CREDENTIALS_WRONG);
    await accounts.login({ ...credentials, password: "another horse" }, PEER);
  });
});

describe("[SM-5] characters", () => {
  test("are listed by name, page by page", async () => {
    const { session } = await register(`Zoe${newName()}`);
    for (const name of ["adam", "Berta", "carl"]) {
      await accounts.createCharacter(session, `${name}-of-zoe`);
    }
    const first = await accounts.listCharacters(session, { size: 3 });
    expect(first.characters.map(({ name }) => name)).toEqual([
      "adam-of-zoe",
      "Berta-of-zoe",
      "carl-of-zoe",
    ]);
    const last = await accounts.listCharacters(session, { size: 3, after: first.next ?? "" });
    expect(last.characters.map(({ name }) => name)).toEqual([session.accountName]);
    expect(last.next).toBeUndefined();
    const exact = await accounts.listCharacters(session, { size: 4 });
    expect(exact.next).toBeUndefined();
  });

  test("of an account are limited, also when they are created at once", async () => {
    const { session } = await register();
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => accounts.createCharacter(session, newName())),
    );
    const created = results.filter(({ status }) => status === "fulfilled");
    expect(created).toHaveLength(9);
    await expectRefusal(
      accounts.createCharacter(session, newName()),
      ErrorReason.TOO_MANY_CHARACTERS,
    );
  });

  test("are selected for all later calls, on all nodes", async () => {
    const { token, session } = await register();
    const name = newName();
    await accounts.createCharacter(session, name);
    await there.accounts.authenticate(token, PEER);
    const told: string[] = [];
    there.accounts.onCharacterChanged((key) => told.push(key));
    const selected = await accounts.selectCharacter(session, name);
    expect(selected.character.name).toBe(name);
    expect(selected.session.character).toEqual({ id: selected.character.id, name });
    for (const node of [here, there]) {
      expect(await node.accounts.authenticate(token, PEER)).toEqual(selected.session);
    }
    expect(told).toEqual([session.key]);
  });

  test("that are selected again stay in the world", async () => {
    const { session } = await register();
    const told: string[] = [];
    accounts.onCharacterChanged((key) => told.push(key));
    const again = await accounts.selectCharacter(session, session.accountName.toLowerCase());
    expect(again.session).toEqual(session);
    expect(told).toEqual([]);
  });

  test("that are selected replace the session that plays them", async () => {
    const first = await register();
    const name = newName();
    await accounts.createCharacter(first.session, name);
    const second = await accounts.login(
      {
        name: first.account.name,
        password: PASSWORD,
        character: name,
      },
      PEER,
    );
    await accounts.selectCharacter(second.session, first.account.name);
    await expectRefusal(
      there.accounts.authenticate(first.token, PEER),
      ErrorReason.SESSION_REPLACED,
    );
    expect((await accounts.authenticate(second.token, PEER)).character?.name).toBe(
      first.account.name,
    );
  });

  test("cannot be selected by a session that ended", async () => {
    const { session } = await register();
    const name = newName();
    await accounts.createCharacter(session, name);
    await accounts.logout(session);
    await expectRefusal(accounts.selectCharacter(session, name), ErrorReason.TOKEN_INVALID);
  });

  test("of others are unknown", async () => {
    const { session } = await register();
    const other = await register();
    for (const name of [other.account.name, newName()]) {
      await expectRefusal(accounts.selectCharacter(session, name), ErrorReason.CHARACTER_UNKNOWN);
      await expectRefusal(accounts.deleteCharacter(session, name), ErrorReason.CHARACTER_UNKNOWN);
    }
  });

  test("are deleted, and their name is free again", async () => {
    const { session } = await register();
    const name = newName();
    await accounts.createCharacter(session, name);
    await accounts.deleteCharacter(session, name.toUpperCase());
    await expectRefusal(accounts.deleteCharacter(session, name), ErrorReason.CHARACTER_UNKNOWN);
    await accounts.createCharacter(session, name);
  });

  test("cannot have the name of a thing of the world, nor can accounts", async () => {
    const { session } = await register();
    for (const name of [RESERVED_NAME, RESERVED_NAME.toUpperCase()]) {
      await expectRefusal(accounts.createCharacter(session, name), ErrorReason.NAME_TAKEN);
      await expectRefusal(register(name), ErrorReason.NAME_TAKEN);
    }
  });

  test("are not deleted while they are played", async () => {
    const { session, account } = await register();
    const name = newName();
    await accounts.createCharacter(session, name);
    await expectRefusal(
      accounts.deleteCharacter(session, account.name),
      ErrorReason.CHARACTER_IN_USE,
    );
    here.inWorld.add(name);
    await expectRefusal(accounts.deleteCharacter(session, name), ErrorReason.CHARACTER_IN_USE);
    here.inWorld.delete(name);
    await accounts.deleteCharacter(session, name);
  });

  test("that are deleted leave the sessions that had them selected without one", async () => {
    const first = await register();
    const name = newName();
    await accounts.createCharacter(first.session, name);
    const credentials = { name: first.account.name, password: PASSWORD, character: name };
    const second = await accounts.login(credentials, PEER);
    await accounts.deleteCharacter(first.session, name);
    expect((await there.accounts.authenticate(second.token, PEER)).character).toBeUndefined();
  });
});

describe("[SM-3] roles", () => {
  test("from the configuration go to accounts that exist and to those that come", async () => {
    const early = await register();
    const late = newName();
    const builder = newName();
    await accounts.ensureRoles({
      admins: [early.account.name.toUpperCase(), late],
      builders: [builder, late],
    });
    expect((await accounts.authenticate(early.token, PEER)).role).toBe(Role.ADMIN);
    expect((await register(late)).session.role).toBe(Role.ADMIN);
    expect((await register(builder.toLowerCase())).session.role).toBe(Role.BUILDER);
    expect((await register()).session.role).toBe(Role.PLAYER);
  });

  test("from the configuration lower nobody", async () => {
    const { account, token } = await register();
    await accounts.setRole(account.name, Role.ADMIN);
    await accounts.ensureRoles({ admins: [], builders: [account.name] });
    expect((await accounts.authenticate(token, PEER)).role).toBe(Role.ADMIN);
  });

  test("that change hold from the next call on, on all nodes", async () => {
    const { account, token } = await register();
    const told: number[] = [];
    there.accounts.onRoleChanged((id) => told.push(id));
    for (const role of [Role.BUILDER, Role.ADMIN, Role.PLAYER]) {
      await there.accounts.authenticate(token, PEER);
      expect((await accounts.setRole(account.name, role)).role).toBe(role);
      expect((await here.accounts.authenticate(token, PEER)).role).toBe(role);
      expect((await there.accounts.authenticate(token, PEER)).role).toBe(role);
    }
    expect(told).toEqual([account.id, account.id, account.id]);
  });

  test("are given to accounts that exist, and only those that an account can have", async () => {
    const { account } = await register();
    await expectRefusal(accounts.setRole(newName(), Role.ADMIN), ErrorReason.NAME_UNKNOWN);
    await expectRefusal(accounts.setRole(account.name, Role.ANONYMOUS), ErrorReason.INVALID_FIELDS);
  });
});

describe("listeners", () => {
  test("hear nothing after they were closed", async () => {
    const { session } = await register();
    const told: string[] = [];
    accounts.onSessionEnded((key) => told.push(key)).close();
    await accounts.logout(session);
    expect(told).toEqual([]);
  });
});
