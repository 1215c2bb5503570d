import { existsSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { BanSchema } from "../../gen/ts/realmwire/v1/user_pb.ts";
import type { Store } from "../../server/store/store.ts";
import type { StoreUnderTest } from "./store-contract.ts";
import { account, character, MOMENT, session } from "./store-samples.ts";

const HOUR_MS = 3_600_000;
const SINCE_MS = timestampMs(MOMENT);

const ban = (untilMs?: number) =>
  create(BanSchema, {
    reason: "spam \u{1F414}",
    since: MOMENT,
    by: "admin",
    ...(untilMs !== undefined && { until: timestampFromMs(untilMs) }),
  });

async function createAccounts(store: Store, names: readonly string[]) {
  const created = [];
  for (const name of names) created.push(await store.createAccount(account(name), character(name)));
  return created;
}

async function namesOf(store: Store, page: Partial<Parameters<Store["listAccounts"]>[0]>) {
  return (await store.listAccounts({ size: 100, ...page })).map(({ name }) => name);
}

/** Rules of what admins do with accounts: lists, bans, kicks. */
export function describeUsers(current: () => StoreUnderTest): void {
  test("accounts are listed by name key, page by page, by the beginning of the name and by role", async () => {
    const { store } = current();
    const created = await createAccounts(store, ["zoe", "Bob", "Éva", "ada", "Adam", "a_b"]);
    expect(await namesOf(store, { size: 3 })).toEqual(["a_b", "ada", "Adam"]);
    expect(await namesOf(store, { size: 3, after: "ADAM" })).toEqual(["Bob", "zoe", "Éva"]);
    expect(await namesOf(store, { prefix: "AD" })).toEqual(["ada", "Adam"]);
    expect(await namesOf(store, { prefix: "ad", after: "ada" })).toEqual(["Adam"]);
    // No letter of it means more than itself.
    expect(await namesOf(store, { prefix: "a_" })).toEqual(["a_b"]);
    expect(await namesOf(store, { prefix: "%" })).toEqual([]);
    await store.updateAccount(created[1]?.account.id ?? 0, { role: Role.ADMIN });
    expect(await namesOf(store, { role: Role.ADMIN })).toEqual(["Bob"]);
  });

  test("an account is found by its id", async () => {
    const { store } = current();
    const [ada] = await createAccounts(store, ["Ada"]);
    const id = ada?.account.id ?? 0;
    expect(await store.findAccountById(id)).toEqual(ada?.account);
    expect(await store.findAccountById(id + 1)).toBeUndefined();
  });

  test("a ban comes back as it was given, is listed while it holds, and goes", async () => {
    const { store, reopen } = current();
    const [ada, bob] = await createAccounts(store, ["Ada", "Bob", "Zoe"]);
    const untilMs = SINCE_MS + HOUR_MS;
    await store.setBan(ada?.account.id ?? 0, ban(untilMs));
    await store.setBan(bob?.account.id ?? 0, ban());
    const reopened = await reopen();
    expect((await reopened.findAccount("Ada"))?.ban).toEqual(ban(untilMs));
    expect((await reopened.findAccount("Bob"))?.ban).toEqual(ban());
    expect(await namesOf(reopened, { bannedAtMs: untilMs - 1 })).toEqual(["Ada", "Bob"]);
    expect(await namesOf(reopened, { bannedAtMs: untilMs })).toEqual(["Bob"]);
    await reopened.setBan(bob?.account.id ?? 0, undefined);
    expect((await reopened.findAccount("Bob"))?.ban).toBeUndefined();
    await expect(reopened.setBan(999_999, ban())).rejects.toMatchObject({
      reason: ErrorReason.NAME_UNKNOWN,
    });
  });

  test("a ban ends all live sessions of the account, and only those", async () => {
    const { store } = current();
    const [ada, bob] = await createAccounts(store, ["Ada", "Bob"]);
    const [adaId, bobId] = [ada?.account.id ?? 0, bob?.account.id ?? 0];
    const sessions = [session(adaId, ada?.character.id ?? 0), session(adaId, 0), session(bobId, 0)];
    for (const one of sessions) await store.createSession(one);
    const ended = await store.setBan(adaId, ban());
    expect(new Set(ended.map(hex))).toEqual(new Set(sessions.slice(0, 2).map(hashOf)));
    expect(await store.countSessions(adaId, Date.now())).toBe(0);
    expect(await store.countSessions(bobId, Date.now())).toBe(1);
    const view = await store.findSession(sessions[0]?.tokenHash ?? new Uint8Array());
    expect(view?.session.state).toBe(SessionState.ENDED);
    expect(view?.account.ban).toEqual(ban());
    expect(await store.setBan(adaId, undefined)).toEqual([]);
  });

  test("kicked sessions say why: all of an account, or the one that plays a character", async () => {
    const { store } = current();
    const [ada] = await createAccounts(store, ["Ada"]);
    const [id, characterId] = [ada?.account.id ?? 0, ada?.character.id ?? 0];
    const [playing, tool] = [session(id, characterId), session(id, 0)];
    await store.createSession(playing);
    await store.createSession(tool);
    expect((await store.kickSessions(id, { reason: "language", characterId })).map(hex)).toEqual([
      hashOf(playing),
    ]);
    const view = await store.findSession(playing.tokenHash);
    expect(view?.session).toMatchObject({ state: SessionState.KICKED, endReason: "language" });
    expect((await store.kickSessions(id, { reason: "" })).map(hex)).toEqual([hashOf(tool)]);
    expect(await store.kickSessions(id, { reason: "" })).toEqual([]);
  });

  test("sessions are counted until they run out", async () => {
    const { store } = current();
    const [ada] = await createAccounts(store, ["Ada"]);
    const id = ada?.account.id ?? 0;
    await store.createSession(session(id, 0, { expiresAt: timestampFromMs(SINCE_MS + HOUR_MS) }));
    expect(await store.countSessions(id, SINCE_MS)).toBe(1);
    expect(await store.countSessions(id, SINCE_MS + HOUR_MS)).toBe(0);
  });
}

/** Rules of stores that copy themselves for backups. */
export function describeSnapshots(current: () => StoreUnderTest): void {
  test("a snapshot is a folder with the database, until it is disposed of", async () => {
    const { store } = current();
    await createAccounts(store, ["Ada"]);
    const snapshot = await store.snapshot();
    expect(snapshot).toMatchObject({ migrations: ["0001-initial", "0002-bans", "0003-places"] });
    expect(snapshot.database).toMatch(/^\d+$/);
    expect(existsSync(join(snapshot.folder, "global/pg_control"))).toBe(true);
    expect(await store.findAccount("Ada")).toBeDefined();
    await snapshot.dispose();
    expect(existsSync(snapshot.folder)).toBe(false);
  });
}

/** Rules of stores that others back up. */
export function describeNoSnapshots(current: () => StoreUnderTest): void {
  test("a snapshot is refused, and what to use instead is named", async () => {
    await expect(current().store.snapshot()).rejects.toMatchObject({
      reason: ErrorReason.BACKUP_UNAVAILABLE,
      message: expect.stringContaining("pg_dump"),
    });
  });
}

const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");
const hashOf = ({ tokenHash }: { readonly tokenHash: Uint8Array }) => hex(tokenHash);
