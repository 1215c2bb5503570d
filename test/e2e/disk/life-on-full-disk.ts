import { randomBytes } from "node:crypto";
import { Code, createClient } from "@connectrpc/connect";
import { expect } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { eventually, type Failure, loginPlayer, readFailure } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { createTransport, DEV_PASSWORD } from "../../support/server.ts";
import { putSignpost, valueOf } from "../../support/values.ts";
import { mapOf, openPlaces, walkSomewhere } from "../../support/walking.ts";

/** Letters of the texts that take the room; they cannot be compressed. */
const TEXT_LENGTH = 60_000;
/** How far posts are put from where characters begin, in tiles. */
const POSTS = { atLeast: 12, atMost: 16 };

/** What was acknowledged, and what was refused. */
export interface Ledger {
  readonly accounts: string[];
  readonly refusedAccounts: string[];
  readonly posts: string[];
  added: bigint;
}

/** An empty ledger. */
export function newLedger(): Ledger {
  return { accounts: [], refusedAccounts: [], posts: [], added: 0n };
}

/** Somebody who makes calls that promise durability. */
export interface Writer {
  /** One call of each kind, at once, and how they failed; undefined: they did not. */
  round(): Promise<(Failure | undefined)[]>;
  readonly builder: TestPlayer;
}

/** Logs the builder in. */
export async function createWriter(baseUrl: string, ledger: Ledger): Promise<Writer> {
  const builder = await loginPlayer(baseUrl, "builder", { protocol: "grpc" });
  const anonymous = createClient(WorldService, createTransport(baseUrl, "grpc"));
  const { world } = builder;
  const run = randomBytes(3).toString("hex");
  let rounds = 0;
  // In nobody's way.
  const places = openPlaces(await mapOf(builder), await builder.position(), POSTS);
  return {
    builder,
    async round() {
      const name = `N${run}x${++rounds}`;
      const post = `post-${run}-${rounds}`;
      const at = places[rounds % places.length] ?? { x: 0, y: 0 };
      const text = randomBytes((TEXT_LENGTH * 3) / 4).toString("base64");
      const [account, steps, moods, edit] = await Promise.all([
        endOf(anonymous.new({ name, password: DEV_PASSWORD })),
        endOf(world.set({ attribute: "steps", change: { case: "add", value: valueOf(1n) } })),
        endOf(world.set({ attribute: "mood", change: { case: "value", value: valueOf(text) } })),
        endOf(world.edit({ commands: [putSignpost(post, at, text)] })),
      ]);
      (account ? ledger.refusedAccounts : ledger.accounts).push(name);
      if (!steps) ledger.added++;
      if (!edit) ledger.posts.push(post);
      return [account, steps, moods, edit];
    },
  };
}

async function endOf(call: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return readFailure(error);
  }
}

/** Writes until a call of each kind was refused for want of room at the same time. */
export async function writeUntilFull(writer: Writer): Promise<void> {
  await eventually("a disk without room for anything", async () => {
    const ends = await writer.round();
    for (const failure of ends) if (failure) expectUnavailable(failure);
    return ends.every((failure) => failure?.message.includes("full"));
  });
}

function expectUnavailable(failure: Failure): void {
  expect(failure).toMatchObject({ code: Code.Unavailable, reason: ErrorReason.STORE_UNAVAILABLE });
  expect(failure.detail?.retryDelay?.seconds).toBeGreaterThanOrEqual(1n);
}

/** The status of a plain page of the server. */
export async function statusOf(baseUrl: string, page: "healthz" | "readyz"): Promise<number> {
  return (await fetch(`${baseUrl}/${page}`)).status;
}

/** The world has to go on without its database: it ticks, one walks, one talks, and everybody sees what is. */
export async function expectWorldGoesOn(baseUrl: string, walker: TestPlayer): Promise<void> {
  const sees = walker.watch();
  const tick = await sees.until("a scene", () => sees.view.tick || undefined);
  const text = `is there room, at ${tick}?`;
  await walker.chat.say({ text });
  await sees.until("what was said", () => sees.heard.some((said) => said.text === text));
  await walkSomewhere(walker, sees);
  await sees.until("ten ticks", () => sees.view.tick >= tick + 10);
  expect(sees.scenes).toHaveLength(1);
  sees.close();
  expect(await statusOf(baseUrl, "healthz")).toBe(200);
}

/** What was acknowledged is there, once; what was refused is there whole or not at all. */
export async function checkLedger(baseUrl: string, ledger: Ledger): Promise<void> {
  const { accounts, refusedAccounts, posts, added } = ledger;
  const builder = await loginPlayer(baseUrl, "builder");
  expect(await builder.get("", ["steps"])).toEqual({ steps: added });
  const { revision, objects } = await mapOf(builder, "town");
  const stored = objects.map(({ name }) => name).filter((name) => name.startsWith("post-"));
  expect(stored.toSorted()).toEqual(posts.toSorted());
  expect(stored).toHaveLength(revision - 1);
  for (const name of [...accounts.slice(-5), ...refusedAccounts.slice(-5)]) {
    const owner = await loginPlayer(baseUrl, name).catch(() => undefined);
    if (!owner) {
      expect(accounts).not.toContain(name);
      await createClient(WorldService, createTransport(baseUrl, "grpc")).new({
        name,
        password: DEV_PASSWORD,
      });
      continue;
    }
    const { characters } = await owner.account.listCharacters({});
    expect(characters.map((character) => character.name)).toEqual([name]);
  }
}
