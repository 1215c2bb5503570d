import { afterEach, beforeEach, expect, test } from "vitest";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import {
  type AccountsNode,
  createTestClock,
  PEER,
  startAccounts,
} from "../../test/support/accounts.ts";
import { createLocalBus, type LocalBus } from "../bus/local-bus.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Store } from "../store/store.ts";

let own: TestStore;
let store: Store;
let bus: LocalBus;
let node: AccountsNode;

beforeEach(async () => {
  own = await openTestStore();
  ({ store } = own);
  bus = createLocalBus();
  await bus.start();
  node = await startAccounts({ store, bus, clock: createTestClock() });
});

afterEach(async () => {
  await node.close();
  await bus.close();
  await own.dispose();
});

test("[JW-8] are created once, each with a password of its own, at whatever node", async () => {
  const other = await startAccounts({ store, bus, clock: createTestClock() });
  const both = await Promise.all([
    node.accounts.ensureDevAccounts(),
    other.accounts.ensureDevAccounts(),
  ]);
  await other.close();
  const passwords = new Map(both.flatMap((created) => [...created]));
  expect(both.map(({ size }) => size).toSorted((a, b) => a - b)).toEqual([0, 4]);
  const roles: Role[] = [];
  for (const name of ["ada", "bob", "builder", "admin"]) {
    const password = passwords.get(name) ?? "";
    expect(password).toMatch(/^[a-z]{4}(-[a-z]{4}){4}$/);
    roles.push((await node.accounts.login({ name, password }, PEER)).account.role);
  }
  expect(roles).toEqual([Role.PLAYER, Role.PLAYER, Role.BUILDER, Role.ADMIN]);
  expect(new Set(passwords.values()).size).toBe(4);
  expect((await node.accounts.ensureDevAccounts()).size).toBe(0);
});

test("may be given their password; a name that is taken is left to its owner", async () => {
  await node.accounts.register({ name: "Ada", password: "my own password" });
  const created = await node.accounts.ensureDevAccounts({ password: "open sesame" });
  expect([...created]).toEqual([
    ["bob", "open sesame"],
    ["builder", "open sesame"],
    ["admin", "open sesame"],
  ]);
  const ada = await node.accounts.login({ name: "ada", password: "my own password" }, PEER);
  expect(ada.account.role).toBe(Role.PLAYER);
  expect(node.log.map(({ fields }) => fields["name"])).toContain("ada");
});

test("are completed at the next start when the server died in the middle", async () => {
  const dying: Store = {
    ...store,
    createAccount(account, character) {
      const isAtIt = account.name === "builder";
      return isAtIt ? Promise.reject(new Error("killed")) : store.createAccount(account, character);
    },
  };
  const first = await startAccounts({ store: dying, bus, clock: createTestClock() });
  await expect(first.accounts.ensureDevAccounts()).rejects.toThrow("killed");
  await first.close();
  // The passwords of the first two were never shown.
  const created = await node.accounts.ensureDevAccounts();
  expect([...created.keys()]).toEqual(["ada", "bob", "builder", "admin"]);
  for (const [name, password] of created) {
    await node.accounts.login({ name, password }, PEER);
  }
});
