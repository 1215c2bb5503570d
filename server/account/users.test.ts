import { timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import {
  type AccountsNode,
  createTestClock,
  startAccounts,
  type TestClock,
} from "../../test/support/accounts.ts";
import { createLocalBus, type LocalBus } from "../bus/local-bus.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Store } from "../store/store.ts";
import type { LoginResult } from "./accounts.ts";
import { createToken, hashToken } from "./tokens.ts";

const PASSWORD = "correct horse";
const HOUR_MS = 3_600_000;
const PEER = "192.0.2.1";

let own: TestStore;
let store: Store;
let bus: LocalBus;
let clock: TestClock;
let here: AccountsNode;
let there: AccountsNode;
let admin: LoginResult;
let player: LoginResult;
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
  admin = await here.accounts.register({ name: `admin${++names}`, password: PASSWORD });
  await here.accounts.setRole(admin.account.name, Role.ADMIN);
  player = await here.accounts.register({ name: `player${names}`, password: PASSWORD });
});
afterEach(async () => {
  await here.close();
  await there.close();
  await bus.close();
});

const target = () => ({ kind: "account", name: player.account.name }) as const;
const login = (noCharacter = false) =>
  here.accounts.login({ name: player.account.name, password: PASSWORD, noCharacter }, PEER);
const ban = (durationMs?: number) =>
  here.accounts.users.ban(admin.session, target(), { reason: "spam", durationMs });

test("a banned account's sessions end on all nodes, and its logins are refused, both with the reason and the end", async () => {
  await there.accounts.authenticate(player.token, PEER);
  const told: unknown[] = [];
  there.accounts.onSessionEnded((key, end) => told.push([key, end.kind]));
  const { sessions, account } = await ban(HOUR_MS);
  expect(sessions).toBe(1);
  expect(account.ban).toMatchObject({ reason: "spam", by: admin.account.name });
  const until = new Date(clock.now() + HOUR_MS).toISOString();
  const refusal = {
    reason: ErrorReason.ACCOUNT_BANNED,
    details: { metadata: { reason: "spam", until } },
  };
  for (const node of [here, there]) {
    await expect(node.accounts.authenticate(player.token, PEER)).rejects.toMatchObject(refusal);
  }
  expect(told).toEqual([[player.session.key, "banned"]]);
  await expect(login()).rejects.toMatchObject(refusal);
  await expect(
    here.accounts.login({ name: player.account.name, password: "a wrong one" }, PEER),
  ).rejects.toMatchObject({ reason: ErrorReason.CREDENTIALS_WRONG });
});

test("a new password that an admin asks for is the only one that works, and old sessions end", async () => {
  await there.accounts.authenticate(player.token, PEER);
  const { password, sessions, account } = await here.accounts.users.resetPassword(
    admin.session,
    target(),
  );
  expect({ sessions, name: account.name }).toEqual({ sessions: 1, name: player.account.name });
  await expect(there.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.KICKED,
  });
  await expect(login()).rejects.toMatchObject({ reason: ErrorReason.CREDENTIALS_WRONG });
  const again = await here.accounts.login({ name: player.account.name, password }, PEER);
  expect(again.account.name).toBe(player.account.name);
  const own = { kind: "account", name: admin.account.name } as const;
  await expect(here.accounts.users.resetPassword(admin.session, own)).rejects.toMatchObject({
    reason: ErrorReason.NOT_TO_ONESELF,
  });
});

test("a ban is over at its time: logins work again, and old tokens are what they were", async () => {
  await ban(HOUR_MS);
  await expect(here.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.ACCOUNT_BANNED,
  });
  clock.pass(HOUR_MS - 1);
  await expect(login()).rejects.toMatchObject({ reason: ErrorReason.ACCOUNT_BANNED });
  clock.pass(1);
  expect((await login()).account.name).toBe(player.account.name);
  await expect(here.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.TOKEN_INVALID,
  });
});

test("a ban for good has no end, and is taken back", async () => {
  await ban();
  await expect(login()).rejects.toMatchObject({ details: { metadata: { reason: "spam" } } });
  await expect(there.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.ACCOUNT_BANNED,
  });
  const listed = await here.accounts.users.list({ size: 10, banned: true });
  expect(listed.accounts.map(({ name }) => name)).toContain(player.account.name);
  await here.accounts.users.unban(target());
  await expect(there.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.TOKEN_INVALID,
  });
  expect((await login()).session.role).toBe(Role.PLAYER);
});

test("a session that began while the ban was given does not work either", async () => {
  const stored = (await store.findSession(Buffer.from(player.session.key, "hex")))?.session;
  if (!stored) throw new Error("there is no session");
  await ban(HOUR_MS);
  const token = createToken();
  await store.createSession({ ...stored, tokenHash: hashToken(token) });
  await expect(there.accounts.authenticate(token, PEER)).rejects.toMatchObject({
    reason: ErrorReason.ACCOUNT_BANNED,
  });
});

test("a kicked session ends with the reason on all nodes, and its player logs in again", async () => {
  const tool = await login(true);
  expect(tool.session.character).toBeUndefined();
  // A login without a character replaced nobody.
  await there.accounts.authenticate(player.token, PEER);
  const name = player.session.character?.name ?? "";
  const kicked = await here.accounts.users.kick({ kind: "character", name }, "language");
  expect(kicked).toMatchObject({ sessions: 1, account: { name: player.account.name } });
  for (const node of [here, there]) {
    await expect(node.accounts.authenticate(player.token, PEER)).rejects.toMatchObject({
      reason: ErrorReason.KICKED,
      details: { metadata: { reason: "language" } },
    });
    expect(await node.accounts.authenticate(tool.token, PEER)).toEqual(tool.session);
  }
  expect((await here.accounts.users.kick(target(), "")).sessions).toBe(1);
  expect((await here.accounts.users.get(target())).sessions).toBe(0);
  await login();
  expect((await here.accounts.users.get(target())).sessions).toBe(1);
});

test("admins neither ban themselves nor lower their own role", async () => {
  const { users } = here.accounts;
  const self = { kind: "account", name: admin.account.name.toUpperCase() } as const;
  const ownRole = users.setRole(admin.session, self.name, Role.BUILDER);
  const ownBan = users.ban(admin.session, self, { reason: "x", durationMs: undefined });
  for (const attempt of [ownRole, ownBan]) {
    await expect(attempt).rejects.toMatchObject({ reason: ErrorReason.NOT_TO_ONESELF });
  }
  expect((await users.setRole(admin.session, self.name, Role.ADMIN)).role).toBe(Role.ADMIN);
});

test("who does not exist is named", async () => {
  const { users } = here.accounts;
  for (const kind of ["account", "character"] as const) {
    await expect(users.get({ kind, name: "nobody" })).rejects.toMatchObject({
      reason: ErrorReason.NAME_UNKNOWN,
      details: { metadata: { name: "nobody" } },
    });
  }
});

test("users are listed page by page", async () => {
  const { users } = here.accounts;
  const first = await users.list({ size: 1, prefix: `player`, banned: false });
  expect(first.accounts).toHaveLength(1);
  const { createdAt } = first.accounts[0] ?? {};
  expect(createdAt && timestampMs(createdAt)).toBeLessThanOrEqual(clock.now());
  const rest = await users.list({
    size: 100,
    prefix: "player",
    banned: false,
    after: first.next ?? "",
  });
  expect(rest.next).toBeUndefined();
  expect(rest.accounts).toHaveLength(names - 1);
});
