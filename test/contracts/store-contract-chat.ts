import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ReleaseRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { StoreUnderTest } from "./store-contract.ts";
import { account, character, MOMENT, said } from "./store-samples.ts";

const KEEP = 1000;

/** Rules of chat, releases and facts. */
export function describeChat(current: () => StoreUnderTest): void {
  test("messages get ids that grow and come back, the newest first, to those who heard them", async () => {
    const { store, reopen } = current();
    const ids = await store.appendChat(
      [said("one", [1, 2]), said("two", [2]), said("unheard", [])],
      KEEP,
    );
    ids.push(...(await store.appendChat([said("three", [1, 2, 2])], KEEP)));
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
    const reopened = await reopen();
    const heard = await reopened.listChat(2, { size: 10 });
    expect(heard).toEqual([
      { ...said("three", []).message, id: ids[3] },
      { ...said("two", []).message, id: ids[1] },
      { ...said("one", []).message, id: ids[0] },
    ]);
    expect((await reopened.listChat(1, { size: 10 })).map(({ text }) => text)).toEqual([
      "three",
      "one",
    ]);
    expect(await reopened.listChat(3, { size: 10 })).toEqual([]);
    expect(await reopened.appendChat([], KEEP)).toEqual([]);
  });

  test("chat is read page by page", async () => {
    const { store } = current();
    await store.appendChat(
      Array.from({ length: 25 }, (_, i) => said(`${i}`, [1])),
      KEEP,
    );
    const read: string[] = [];
    let beforeId: number | undefined;
    for (;;) {
      const page = { size: 10, ...(beforeId === undefined ? {} : { beforeId }) };
      const messages = await store.listChat(1, page);
      if (messages.length === 0) break;
      read.push(...messages.map(({ text }) => text));
      beforeId = messages.at(-1)?.id;
    }
    expect(read).toEqual(Array.from({ length: 25 }, (_, i) => `${24 - i}`));
  });

  test("a character keeps its newest messages, and not many more", async () => {
    const { store } = current();
    const keep = 20;
    await store.appendChat([said("rare", [7, 8])], keep);
    for (let batch = 0; batch < 100; batch += 1) {
      const messages = Array.from({ length: 20 }, (_, i) => said(`${batch * 20 + i}`, [7]));
      await store.appendChat(messages, keep);
    }
    const kept = (await store.listChat(7, { size: 3000 })).map(({ text }) => text);
    expect(kept.slice(0, keep)).toEqual(Array.from({ length: keep }, (_, i) => `${1999 - i}`));
    // Forgetting is a draw of one in 64: that 1000 messages pass without one has a chance of 1e-7.
    expect(kept.length).toBeLessThan(keep + 1000);
    expect((await store.listChat(8, { size: 10 })).map(({ text }) => text)).toEqual(["rare"]);
  });

  test("a deleted character takes along what only it remembers", async () => {
    const { store } = current();
    const { character: ada } = await store.createAccount(account("Ada"), character("Ada"));
    await store.appendChat([said("alone", [ada.id]), said("both", [ada.id, ada.id + 1])], KEEP);
    await store.deleteCharacter(ada.id);
    expect(await store.listChat(ada.id, { size: 10 })).toEqual([]);
    expect(await store.listChat(ada.id + 1, { size: 10 })).toHaveLength(1);
  });

  test("chat at once from many sides loses nothing", async () => {
    const { store } = current();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.appendChat([said(`${i}`, [1, 2, 3])], KEEP)),
    );
    expect(new Set(answers.flat()).size).toBe(50);
    expect(await store.listChat(3, { size: 100 })).toHaveLength(50);
  });

  test("each platform has one current release", async () => {
    const { store, reopen } = current();
    const release = (platform: string, version: string) =>
      create(ReleaseRecordSchema, {
        platform,
        version,
        oldestWorking: "0.1.0",
        publishedAt: MOMENT,
      });
    await store.publishRelease(release("web", "1.0.0"));
    await store.publishRelease(release("linux", "1.0.0"));
    await store.publishRelease(release("web", "1.1.0"));
    expect(await (await reopen()).listReleases()).toEqual([
      release("linux", "1.0.0"),
      release("web", "1.1.0"),
    ]);
  });

  test("facts are kept and replaced", async () => {
    const { store, reopen } = current();
    expect(await store.getFact("dev-accounts-created")).toBeUndefined();
    await store.setFact("dev-accounts-created", "no");
    await store.setFact("dev-accounts-created", "yes");
    expect(await (await reopen()).getFact("dev-accounts-created")).toBe("yes");
  });
}
