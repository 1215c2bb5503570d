import { createClient } from "@connectrpc/connect";
import { expect } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Store } from "../../../server/store/store.ts";
import { eventually, failureOf, loginPlayer, readFailure } from "../../support/player.ts";
import { createTransport, DEV_PASSWORD } from "../../support/server.ts";
import { putSignpost, valueOf } from "../../support/values.ts";
import { mapOf } from "../../support/walking.ts";

/** Acknowledged calls of each kind before a server is killed: enough for batches to overlap. */
const ACKNOWLEDGED = 8;
/** Those who add at the same time. */
const ADDERS = 4;

/** What was acknowledged so far, over all crashes. */
export interface Ledger {
  readonly accounts: string[];
  /** What was added in all. */
  added: number;
  readonly posts: string[];
  /** At each crash one account, one edit and {@link ADDERS} additions may have been on their way. */
  crashes: number;
}

/** What nobody has written to yet. */
export function createLedger(): Ledger {
  return { accounts: [], added: 0, posts: [], crashes: 0 };
}

/** Makes calls of one kind, one after the other, until the server is gone. */
async function repeat(call: (index: number) => Promise<void>): Promise<void> {
  try {
    for (let index = 0; ; index++) await call(index);
  } catch (error) {
    // The server was killed, which is the point: whatever it answers by itself is not.
    expect(readFailure(error).reason).toBe(ErrorReason.UNSPECIFIED);
  }
}

/** Calls of all kinds at once, until enough were acknowledged and `delayMs` more; then `crash` kills the server in the middle of others. */
export async function liveAndCrash(
  baseUrl: string,
  ledger: Ledger,
  { delayMs, crash }: { readonly delayMs: number; readonly crash: () => Promise<void> },
): Promise<void> {
  const round = ++ledger.crashes;
  const { accounts, posts } = ledger;
  const before = { accounts: accounts.length, posts: posts.length, added: ledger.added };
  const anonymous = createClient(WorldService, createTransport(baseUrl, "grpc"));
  const ada = await loginPlayer(baseUrl, "ada", { protocol: "grpc" });
  const builder = await loginPlayer(baseUrl, "builder", { protocol: "grpc" });
  const work = [
    repeat(async (index) => {
      const name = `R${round}n${index}`;
      await anonymous.new({ name, password: DEV_PASSWORD });
      accounts.push(name);
    }),
    ...Array.from({ length: ADDERS }, () =>
      repeat(async () => {
        await ada.world.set({ attribute: "steps", change: { case: "add", value: valueOf(1n) } });
        ledger.added++;
      }),
    ),
    repeat(async (index) => {
      const name = `post-${round}-${index}`;
      const at = { x: 20.5 + (index % 10), y: 24.5 };
      await builder.world.edit({ commands: [putSignpost(name, at, name)] });
      posts.push(name);
    }),
  ];
  await eventually("enough answers", () => {
    const fresh = [
      accounts.length - before.accounts,
      posts.length - before.posts,
      ledger.added - before.added,
    ];
    return Math.min(...fresh) >= ACKNOWLEDGED;
  });
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  await crash();
  await Promise.all(work);
}

/** Each acknowledged change is there once; of those that were under way each is there once or not at all. */
export async function checkLedger(baseUrl: string, ledger: Ledger): Promise<void> {
  const { accounts, posts, added, crashes } = ledger;
  const ada = await loginPlayer(baseUrl, "ada");
  // No more than the limit of the call lets through at once: the others are looked at in the end.
  for (const name of accounts.slice(-30)) {
    expect(await ada.zone.locateCharacter({ name })).toMatchObject({ name, zone: "town" });
  }
  const last = accounts.at(-1) ?? "";
  const again = failureOf(ada.world.new({ name: last, password: DEV_PASSWORD }));
  expect(await again).toMatchObject({ reason: ErrorReason.NAME_TAKEN });
  const { characters } = await (await loginPlayer(baseUrl, last)).account.listCharacters({});
  expect(characters.map(({ name }) => name)).toEqual([last]);

  const { steps } = await ada.get("", ["steps"]);
  expect(Number(steps)).toBeGreaterThanOrEqual(added);
  expect(Number(steps)).toBeLessThanOrEqual(added + crashes * ADDERS);

  const { revision, objects } = await mapOf(ada, "town");
  const stored = objects.map(({ name }) => name).filter((name) => name.startsWith("post-"));
  expect(new Set(stored).size).toBe(stored.length);
  expect(stored).toHaveLength(revision - 1);
  expect(stored).toEqual(expect.arrayContaining(posts));
  expect(stored.length).toBeLessThanOrEqual(posts.length + crashes);
  for (const post of posts.slice(-2)) expect(await ada.get(post, ["text"])).toEqual({ text: post });
}

/** All accounts that were ever acknowledged are in the store of a server that has ended, each with its one character. */
export async function checkAccounts(store: Store, { accounts }: Ledger): Promise<void> {
  await store.start();
  try {
    for (const name of accounts) {
      const account = await store.findAccount(name);
      const characters = await store.listCharacters(account?.id ?? 0, { size: 10 });
      expect(characters.map((character) => character.name)).toEqual([name]);
    }
  } finally {
    await store.close();
  }
}
