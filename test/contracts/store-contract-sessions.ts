import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { type SessionRecord, SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Store } from "../../server/store/store.ts";
import type { StoreUnderTest } from "./store-contract.ts";
import { account, character, session } from "./store-samples.ts";

async function createAda(store: Store) {
  const { account: ada, character: first } = await store.createAccount(
    account("Ada"),
    character("Ada"),
  );
  const other = character("Ada2", { accountId: ada.id });
  return { ada, first, second: await store.createCharacter(other, 5) };
}

async function stateOf(store: Store, { tokenHash }: SessionRecord) {
  return (await store.findSession(tokenHash))?.session.state;
}

/** Rules of sessions. */
export function describeSessions(current: () => StoreUnderTest): void {
  test("a session comes back with its account and character", async () => {
    const { store, reopen } = current();
    const { ada, first } = await createAda(store);
    const stored = session(ada.id, first.id);
    expect(await store.createSession(stored)).toEqual({ replaced: [] });
    const view = await (await reopen()).findSession(stored.tokenHash);
    expect(view?.session).toEqual(stored);
    expect(view?.account.name).toBe("Ada");
    expect(view?.character).toEqual({ ...first });
    expect(await current().store.findSession(new Uint8Array(32))).toBeUndefined();
  });

  test("everybody in a crowd that asks at once gets their own", async () => {
    const { store } = current();
    const names = Array.from({ length: 12 }, (_, i) => `Ada${i}`);
    const sessions: SessionRecord[] = [];
    for (const [i, name] of names.entries()) {
      const stored = await store.createAccount(account(name), character(name));
      const playing = session(stored.account.id, i % 3 === 0 ? 0 : stored.character.id);
      await store.createSession(playing);
      sessions.push(playing);
    }
    const unknown = new Uint8Array(32).fill(7);
    const [views, characters, nothing, nobody] = await Promise.all([
      Promise.all(sessions.map(({ tokenHash }) => store.findSession(tokenHash))),
      Promise.all(names.map((name) => store.findCharacter(name.toUpperCase()))),
      store.findSession(unknown),
      store.findCharacter("nobody"),
    ]);
    expect(views.map((view) => view?.session)).toEqual(sessions);
    expect(views.map((view) => view?.account.name)).toEqual(names);
    expect(views.map((view) => view?.character?.name)).toEqual(
      names.map((name, i) => (i % 3 === 0 ? undefined : name)),
    );
    expect(characters.map((found) => found?.name)).toEqual(names);
    expect([nothing, nobody]).toEqual([undefined, undefined]);
  });

  test("a session may play no character", async () => {
    const { store } = current();
    const { ada } = await createAda(store);
    const [one, two] = [session(ada.id, 0), session(ada.id, 0)];
    await store.createSession(one);
    expect(await store.createSession(two)).toEqual({ replaced: [] });
    expect((await store.findSession(one.tokenHash))?.character).toBeUndefined();
    expect(await stateOf(store, one)).toBe(SessionState.LIVE);
  });

  test("a session replaces those of the same character, and the character is the last played", async () => {
    const { store } = current();
    const { ada, first, second } = await createAda(store);
    const [one, two, three] = [
      session(ada.id, first.id),
      session(ada.id, second.id),
      session(ada.id, first.id),
    ];
    await store.createSession(one);
    await store.createSession(two);
    expect((await store.findAccount("Ada"))?.lastCharacterId).toBe(second.id);
    expect(await store.createSession(three)).toEqual({ replaced: [one.tokenHash] });
    expect(await stateOf(store, one)).toBe(SessionState.REPLACED);
    expect(await stateOf(store, two)).toBe(SessionState.LIVE);
    expect((await store.findAccount("Ada"))?.lastCharacterId).toBe(first.id);
  });

  test("of many sessions of one character begun at once, one lives and each other one is named once", async () => {
    const { store } = current();
    const { ada, first } = await createAda(store);
    const sessions = Array.from({ length: 20 }, () => session(ada.id, first.id));
    const answers = await Promise.all(sessions.map((one) => store.createSession(one)));
    const replaced = answers.flatMap((answer) => answer.replaced.map((hash) => hash.join()));
    expect(new Set(replaced).size).toBe(19);
    expect(replaced).toHaveLength(19);
    const states = await Promise.all(sessions.map((one) => stateOf(store, one)));
    expect(states.filter((state) => state === SessionState.LIVE)).toHaveLength(1);
  });

  test("choosing a character replaces whoever plays it, but not oneself", async () => {
    const { store } = current();
    const { ada, first, second } = await createAda(store);
    const [one, two] = [session(ada.id, first.id), session(ada.id, second.id)];
    await store.createSession(one);
    await store.createSession(two);
    expect(await store.selectCharacter(two.tokenHash, second.id)).toEqual({ replaced: [] });
    expect(await store.selectCharacter(two.tokenHash, first.id)).toEqual({
      replaced: [one.tokenHash],
    });
    expect((await store.findSession(two.tokenHash))?.character?.name).toBe("Ada");
    expect((await store.findAccount("Ada"))?.lastCharacterId).toBe(first.id);
  });

  test("nobody plays another account's character, and a dead session plays none", async () => {
    const { store } = current();
    const { ada, first } = await createAda(store);
    const bob = await store.createAccount(account("Bob"), character("Bob"));
    const one = session(ada.id, first.id);
    await store.createSession(one);
    const foreign = { reason: ErrorReason.CHARACTER_UNKNOWN };
    await expect(store.selectCharacter(one.tokenHash, bob.character.id)).rejects.toMatchObject(
      foreign,
    );
    await expect(store.createSession(session(ada.id, bob.character.id))).rejects.toMatchObject(
      foreign,
    );
    await store.endSession(one.tokenHash, SessionState.ENDED);
    await expect(store.selectCharacter(one.tokenHash, first.id)).rejects.toMatchObject({
      reason: ErrorReason.TOKEN_INVALID,
    });
  });

  test("an ended session stays as it is", async () => {
    const { store } = current();
    const { ada, first } = await createAda(store);
    const one = session(ada.id, first.id);
    await store.createSession(one);
    await store.endSession(one.tokenHash, SessionState.ENDED);
    await store.endSession(one.tokenHash, SessionState.REPLACED);
    expect(await stateOf(store, one)).toBe(SessionState.ENDED);
    expect(await store.createSession(session(ada.id, first.id))).toEqual({ replaced: [] });
  });

  test("all sessions of an account but one end", async () => {
    const { store } = current();
    const { ada, first, second } = await createAda(store);
    const bob = await store.createAccount(account("Bob"), character("Bob"));
    const mine = [
      session(ada.id, first.id),
      session(ada.id, second.id),
      session(ada.id, 0),
    ] as const;
    const his = session(bob.account.id, bob.character.id);
    for (const one of [...mine, his]) await store.createSession(one);
    const ended = await store.endOtherSessions(ada.id, mine[1].tokenHash);
    const names = (hashes: readonly Uint8Array[]) => hashes.map((hash) => hash.join()).toSorted();
    expect(names(ended)).toEqual(names([mine[0].tokenHash, mine[2].tokenHash]));
    expect(await stateOf(store, mine[0])).toBe(SessionState.ENDED);
    expect(await stateOf(store, mine[1])).toBe(SessionState.LIVE);
    expect(await stateOf(store, his)).toBe(SessionState.LIVE);
  });

  test("a session's end moves, and sessions beyond it are deleted", async () => {
    const { store } = current();
    const { ada, first } = await createAda(store);
    const [one, two] = [
      session(ada.id, first.id, { expiresAt: timestampFromMs(1000) }),
      session(ada.id, 0, { expiresAt: timestampFromMs(2000) }),
    ];
    await store.createSession(one);
    await store.createSession(two);
    await store.extendSession(one.tokenHash, 5001);
    const moved = (await store.findSession(one.tokenHash))?.session.expiresAt;
    expect(moved && timestampMs(moved)).toBe(5001);
    expect(await store.deleteExpiredSessions(2000)).toBe(0);
    expect(await store.deleteExpiredSessions(5001)).toBe(1);
    expect(await store.findSession(two.tokenHash)).toBeUndefined();
    expect(await stateOf(store, one)).toBe(SessionState.LIVE);
  });

  test("a deleted character leaves its session without one", async () => {
    const { store } = current();
    const { ada, first } = await createAda(store);
    const one = session(ada.id, first.id);
    await store.createSession(one);
    await store.deleteCharacter(first.id);
    const view = await store.findSession(one.tokenHash);
    expect(view?.session.characterId).toBe(0);
    expect(view?.character).toBeUndefined();
  });
}
