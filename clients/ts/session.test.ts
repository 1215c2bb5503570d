import { Code } from "@connectrpc/connect";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createRealmwire } from "./client.ts";
import { createMemoryStorage } from "./storage.ts";
import type { Storage } from "./storage.ts";
import { serverError, startScriptedPeer } from "./testing/scripted-peer.ts";
import type { ScriptedPeer } from "./testing/scripted-peer.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Accounts with their characters, and tokens that work, as a small server of the test keeps them. */
function accountRoutes({ service, rpc }: ConnectRouter): void {
  const accounts = new Map<string, { password: string; characters: string[]; selected: string }>();
  const tokens = new Map<string, string>();
  let logins = 0;
  const login = (name: string, email = "") => {
    const account = accounts.get(name);
    const token = `token-${logins++}-${name}`;
    tokens.set(token, name);
    const character = account?.selected ?? "";
    return { token, account: { name, role: Role.PLAYER, email }, character };
  };
  const tokenOf = (context: HandlerContext): string =>
    (context.requestHeader.get("authorization") ?? "").replace("Bearer ", "");
  const accountOf = (context: HandlerContext) => {
    const account = accounts.get(tokens.get(tokenOf(context)) ?? "");
    if (!account) throw serverError(Code.Unauthenticated, ErrorReason.TOKEN_INVALID);
    return account;
  };
  rpc(WorldService.method.new, ({ name, password, email }) => {
    if (accounts.has(name)) throw serverError(Code.AlreadyExists, ErrorReason.NAME_TAKEN);
    accounts.set(name, { password, characters: [name], selected: name });
    return login(name, email);
  });
  rpc(WorldService.method.login, ({ name, password, character }) => {
    const account = accounts.get(name);
    if (account?.password !== password) {
      throw serverError(Code.Unauthenticated, ErrorReason.CREDENTIALS_WRONG);
    }
    if (character) account.selected = character;
    return login(name);
  });
  service(AccountService, {
    logout(_, context) {
      accountOf(context);
      tokens.delete(tokenOf(context));
      return {};
    },
    // One character a page, so that clients have to turn pages.
    listCharacters({ pageToken }, context) {
      const { characters, selected } = accountOf(context);
      const index = Number(pageToken);
      const name = characters[index] ?? "";
      const nextPageToken = index + 1 < characters.length ? `${index + 1}` : "";
      return { characters: [{ name, selected: name === selected }], nextPageToken };
    },
    createCharacter({ name }, context) {
      accountOf(context).characters.push(name);
      return { character: { name } };
    },
    selectCharacter({ name }, context) {
      accountOf(context).selected = name;
      return { character: { name, selected: true } };
    },
    deleteCharacter({ name }, context) {
      const account = accountOf(context);
      account.characters = account.characters.filter((other) => other !== name);
      return {};
    },
  });
}

async function startAccounts(): Promise<ScriptedPeer> {
  const peer = await startScriptedPeer(accountRoutes);
  closers.push(peer.close);
  return peer;
}

/** A storage that answers later, and shows what is in it. */
function createSlowStorage(): Storage & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  const later = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
  return {
    entries,
    get: async (key) => (await later(), entries.get(key)),
    set: async (key, value) => (await later(), void entries.set(key, value)),
    remove: async (key) => (await later(), void entries.delete(key)),
  };
}

test("register, log out, log in: the token goes with every call while there is one", async () => {
  const { baseUrl } = await startAccounts();
  const client = createRealmwire({ baseUrl });
  expect(client.session).toBeUndefined();
  const session = await client.register("ada", "a password", "ada@example.org");
  expect(session).toMatchObject({ account: { name: "ada", role: Role.PLAYER }, character: "ada" });
  expect(client.session).toBe(session);
  expect(await client.characters.list()).toMatchObject([{ name: "ada", selected: true }]);
  await client.logout();
  expect(client.session).toBeUndefined();
  await expect(client.characters.list()).rejects.toMatchObject({
    reason: ErrorReason.TOKEN_INVALID,
  });
  await client.login("ada", "a password");
  expect(client.session?.token).not.toBe(session.token);
});

test("a login that fails leaves the session as it was", async () => {
  const { baseUrl } = await startAccounts();
  const client = createRealmwire({ baseUrl });
  const session = await client.register("ada", "a password");
  await expect(client.login("ada", "wrong")).rejects.toMatchObject({
    reason: ErrorReason.CREDENTIALS_WRONG,
  });
  await expect(client.register("ada", "a password")).rejects.toMatchObject({
    reason: ErrorReason.NAME_TAKEN,
  });
  expect(client.session).toBe(session);
});

test("characters are listed over all pages, created, selected and deleted", async () => {
  const { baseUrl } = await startAccounts();
  const client = createRealmwire({ baseUrl });
  await client.register("ada", "a password");
  expect(await client.characters.create("berta")).toMatchObject({ name: "berta" });
  await client.characters.create("cleo");
  expect(client.session?.character).toBe("ada");
  expect(await client.characters.select("cleo")).toMatchObject({ name: "cleo", selected: true });
  expect(client.session?.character).toBe("cleo");
  await client.characters.delete("berta");
  const names = (await client.characters.list()).map(({ name }) => name);
  expect(names).toEqual(["ada", "cleo"]);
  await client.login("ada", "a password", "ada");
  expect(client.session?.character).toBe("ada");
});

test.each([
  ["memory", createMemoryStorage],
  ["asynchronous", createSlowStorage],
])("another client resumes from a %s storage", async (_, createStorage) => {
  const { baseUrl } = await startAccounts();
  const storage = createStorage();
  const first = createRealmwire({ baseUrl, storage });
  expect(await first.resume()).toBeUndefined();
  await first.register("ada", "a password");
  await first.characters.create("berta");
  await createRealmwire({ baseUrl }).login("ada", "a password", "berta");
  const second = createRealmwire({ baseUrl, storage });
  const session = await second.resume();
  expect(session).toMatchObject({ account: { name: "ada" }, character: "berta" });
  expect(session?.token).toBe(first.session?.token);
  expect(second.session).toBe(session);
});

test("the storage holds no address of the player, and nothing after a logout", async () => {
  const { baseUrl } = await startAccounts();
  const storage = createSlowStorage();
  const client = createRealmwire({ baseUrl, storage });
  await client.register("ada", "a password", "ada@example.org");
  const kept = [...storage.entries].flat().join();
  expect(kept).toContain(client.session?.token);
  expect(kept).not.toContain("example.org");
  await client.logout();
  expect(storage.entries.size).toBe(0);
});

test("a token that works no more is forgotten", async () => {
  const { baseUrl } = await startAccounts();
  const storage = createSlowStorage();
  const client = createRealmwire({ baseUrl, storage });
  await client.register("ada", "a password");
  await client.account.logout({});
  const later = createRealmwire({ baseUrl, storage });
  expect(await later.resume()).toBeUndefined();
  expect(later.session).toBeUndefined();
  expect(storage.entries.size).toBe(0);
  await expect(client.logout()).resolves.toBeUndefined();
  expect(client.session).toBeUndefined();
});

test("what is damaged in the storage is the same as nothing", async () => {
  const { baseUrl } = await startAccounts();
  const storage: Storage = { get: () => "{not json", set: () => {}, remove: () => {} };
  expect(await createRealmwire({ baseUrl, storage }).resume()).toBeUndefined();
});

test("a server that is away costs nobody the stored session", async () => {
  const peer = await startAccounts();
  const storage = createSlowStorage();
  const client = createRealmwire({ baseUrl: peer.baseUrl, storage });
  await client.register("ada", "a password");
  await peer.close();
  const later = createRealmwire({ baseUrl: peer.baseUrl, storage });
  await expect(later.resume()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(storage.entries.size).toBe(1);
  await expect(client.logout()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(client.session).toBeUndefined();
  expect(storage.entries.size).toBe(0);
});

test("a token never reaches another server", async () => {
  const [here, there] = [await startAccounts(), await startAccounts()];
  const storage = createMemoryStorage();
  await createRealmwire({ baseUrl: here.baseUrl, storage }).register("ada", "a password");
  expect(await createRealmwire({ baseUrl: there.baseUrl, storage }).resume()).toBeUndefined();
  expect(await createRealmwire({ baseUrl: here.baseUrl, storage }).resume()).toBeDefined();
});
