import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { type OfflineAccounts, openAccounts } from "./open-accounts.ts";

const game = resolve(import.meta.dirname, "../../games/meadow");

let data: string;
let accounts: OfflineAccounts;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "open-accounts-"));
  accounts = await openAccounts({ data, databaseUrl: "", game });
});
afterAll(async () => {
  await accounts.close();
  await rm(data, { recursive: true });
});

test("an admin is made, and no second one of the name", async () => {
  await accounts.createAdmin("boss", "long enough");
  expect(await accounts.find("BOSS")).toMatchObject({ name: "boss", role: Role.ADMIN });
  await expect(accounts.createAdmin("Boss", "long enough")).rejects.toMatchObject({
    reason: ErrorReason.NAME_TAKEN,
  });
});

test("an account has a new password and keeps its role, or a new role and keeps its password", async () => {
  await accounts.createAdmin("other", "long enough");
  const before = await accounts.find("other");
  if (!before) throw new Error("there is no account");
  await accounts.promote(before);
  expect(await accounts.find("other")).toEqual(before);
  await accounts.setPassword(before, "another one");
  const after = await accounts.find("other");
  expect(after).toEqual({ ...before, passwordHash: after?.passwordHash });
  expect(after?.passwordHash).not.toBe(before.passwordHash);
  await expect(accounts.setPassword(before, "short")).rejects.toMatchObject({
    reason: ErrorReason.INVALID_FIELDS,
  });
});

test.each([
  ["x y", "long enough", ErrorReason.INVALID_FIELDS],
  ["short", "short", ErrorReason.INVALID_FIELDS],
  ["", "long enough", ErrorReason.INVALID_FIELDS],
  ["well", "long enough", ErrorReason.NAME_TAKEN],
])("no admin %j with the password %j", async (name, password, reason) => {
  await expect(accounts.createAdmin(name, password)).rejects.toMatchObject({ reason });
  expect(await accounts.find(name)).toBeUndefined();
});

test("a folder that a server has is left alone", async () => {
  await expect(openAccounts({ data, databaseUrl: "", game })).rejects.toThrow("in use");
});
