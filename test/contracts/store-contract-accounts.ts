import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CharacterRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { hasReason } from "../../server/errors.ts";
import type { Store } from "../../server/store/store.ts";
import type { StoreUnderTest } from "./store-contract.ts";
import { account, character } from "./store-samples.ts";

/** How many callers do the same thing at once. */
const AT_ONCE = 100;

/** The reasons with which calls were rejected; other errors are thrown. */
function reasons(results: readonly PromiseSettledResult<unknown>[]): ErrorReason[] {
  return results
    .filter((result) => result.status === "rejected")
    .map(({ reason }) => {
      for (const value of Object.values(ErrorReason)) {
        if (typeof value === "number" && hasReason(reason, value)) return value;
      }
      throw reason;
    });
}

const succeeded = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.filter((result) => result.status === "fulfilled").length;

async function createAda(store: Store) {
  return store.createAccount(account("Ada"), character("Ada"));
}

/** Rules of accounts and characters. */
export function describeAccounts(current: () => StoreUnderTest): void {
  test("an account comes back as it was stored, with its first character", async () => {
    const { store, reopen } = current();
    const created = await createAda(store);
    expect(created.account.id).toBeGreaterThan(0);
    expect(created.account).toEqual({
      ...account("Ada"),
      id: created.account.id,
      lastCharacterId: created.character.id,
    });
    const reopened = await reopen();
    expect(await reopened.findAccount("Ada")).toEqual(created.account);
    expect(await reopened.findCharacter("Ada")).toEqual({
      ...character("Ada"),
      id: created.character.id,
      accountId: created.account.id,
    });
  });

  test("names are found and taken without regard to case and form", async () => {
    const { store } = current();
    await createAda(store);
    expect((await store.findAccount("aDA"))?.name).toBe("Ada");
    expect((await store.findAccount("Ａｄａ"))?.name).toBe("Ada");
    expect(await store.findAccount("Ad")).toBeUndefined();
    expect(await store.findAccount("Ada\0")).toBeUndefined();
    await expect(store.createAccount(account("ADA"), character("Zoe"))).rejects.toMatchObject({
      reason: ErrorReason.NAME_TAKEN,
      details: { metadata: { name: "ADA" } },
    });
  });

  test("an account whose character's name another account has is not stored at all", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const second = character("Bob", { accountId: ada.account.id });
    await store.createCharacter(second, 5);
    await expect(store.createAccount(account("Bob"), character("Bob"))).rejects.toMatchObject({
      reason: ErrorReason.NAME_TAKEN,
      details: { metadata: { name: "Bob" } },
    });
    expect(await store.findAccount("Bob")).toBeUndefined();
  });

  test("of many who create the same account at once, one succeeds", async () => {
    const { store } = current();
    const results = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, () => createAda(store)),
    );
    expect(succeeded(results)).toBe(1);
    expect(new Set(reasons(results))).toEqual(new Set([ErrorReason.NAME_TAKEN]));
  });

  test("role and password change, alone or together", async () => {
    const { store } = current();
    const { id } = (await createAda(store)).account;
    await store.updateAccount(id, { role: Role.BUILDER });
    await store.updateAccount(id, { passwordHash: "other" });
    await store.updateAccount(id, {});
    expect(await store.findAccount("Ada")).toMatchObject({
      role: Role.BUILDER,
      passwordHash: "other",
    });
    for (const change of [{ role: Role.ADMIN }, {}]) {
      await expect(store.updateAccount(id + 1, change)).rejects.toMatchObject({
        reason: ErrorReason.NAME_UNKNOWN,
      });
    }
  });

  test("an account has no more characters than it may, however many are created at once", async () => {
    const { store } = current();
    const accountId = (await createAda(store)).account.id;
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        store.createCharacter(character(`Ada${i}`, { accountId }), 5),
      ),
    );
    expect(succeeded(results)).toBe(4);
    expect(new Set(reasons(results))).toEqual(new Set([ErrorReason.TOO_MANY_CHARACTERS]));
    expect(await store.listCharacters(accountId, { size: 100 })).toHaveLength(5);
  });

  test("a character's name is taken in all the world", async () => {
    const { store } = current();
    await createAda(store);
    const bob = await store.createAccount(account("Bob"), character("Bob"));
    const twin = character("ada", { accountId: bob.account.id });
    await expect(store.createCharacter(twin, 5)).rejects.toMatchObject({
      reason: ErrorReason.NAME_TAKEN,
      details: { metadata: { name: "ada" } },
    });
  });

  test("characters are listed by name key, page by page", async () => {
    const { store } = current();
    const accountId = (await createAda(store)).account.id;
    await store.createAccount(account("Other"), character("Other"));
    for (const name of ["zoe", "Bob", "Éva", "ada2"]) {
      await store.createCharacter(character(name, { accountId }), 10);
    }
    const first = await store.listCharacters(accountId, { size: 3 });
    expect(first.map(({ name }) => name)).toEqual(["Ada", "ada2", "Bob"]);
    const second = await store.listCharacters(accountId, { size: 3, after: "BOB" });
    expect(second.map(({ name }) => name)).toEqual(["zoe", "Éva"]);
  });

  test("a character without position and components comes back so", async () => {
    const { store } = current();
    const accountId = (await createAda(store)).account.id;
    const bare = create(CharacterRecordSchema, { accountId, name: "Bare" });
    await store.createCharacter(bare, 5);
    const found = await store.findCharacter("Bare");
    expect(found?.position).toBeUndefined();
    expect(found?.components).toEqual([]);
    expect(found?.createdAt).toBeDefined();
  });

  test("a deleted character is gone, and its name is free", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const accountId = ada.account.id;
    expect(await store.deleteCharacter(ada.character.id)).toBe(true);
    expect(await store.deleteCharacter(ada.character.id)).toBe(false);
    expect(await store.findCharacter("Ada")).toBeUndefined();
    expect((await store.findAccount("Ada"))?.lastCharacterId).toBe(0);
    const again = await store.createCharacter(character("Ada", { accountId }), 5);
    expect(again.id).not.toBe(ada.character.id);
  });
}
