import type { Registry } from "@bufbuild/protobuf";
import { afterAll, beforeEach, describe, type TestContext } from "vitest";
import { type Database, rows } from "../../server/store/database.ts";
import { entities } from "../../server/store/entities.ts";
import { type Backend, createSqlStore } from "../../server/store/sql-store.ts";
import type { Store } from "../../server/store/store.ts";
import { describeAccounts } from "./store-contract-accounts.ts";
import { describeChat } from "./store-contract-chat.ts";
import { describeSessions } from "./store-contract-sessions.ts";
import { describeNoSnapshots, describeSnapshots, describeUsers } from "./store-contract-users.ts";
import { describeWorld } from "./store-contract-world.ts";
import { registry } from "./store-samples.ts";

/** What a test of the contract has at hand. */
export interface StoreUnderTest {
  /** A started store with nothing in it. */
  readonly store: Store;
  /** Closes the store and starts another one on the same place. */
  reopen(options?: { readonly registry: Registry }): Promise<Store>;
}

/** The rules of `Store`, for every backend. `makeBackend` gives ever new backends of one place, or skips the test. `snapshots`: whether it copies itself. */
export function describeStore(
  name: string,
  makeBackend: (context: TestContext) => Promise<() => Backend>,
  { snapshots }: { readonly snapshots: boolean },
): void {
  describe(name, () => {
    let opened: OpenedStore | undefined;
    let nextBackend: (() => Backend) | undefined;

    async function reopen(options = { registry }): Promise<Store> {
      await opened?.store.close();
      if (!nextBackend) throw new Error("There is no backend.");
      opened = await openStore(nextBackend(), options.registry);
      return opened.store;
    }

    // Starting a store takes half a second, so tests share one and begin with empty tables.
    beforeEach(async (context) => {
      nextBackend ??= await makeBackend(context);
      if (opened?.registry !== registry) await reopen();
      await opened?.clear();
    });
    afterAll(() => opened?.store.close());

    const current = (): StoreUnderTest => {
      if (!opened) throw new Error("No store is open.");
      return { store: opened.store, reopen };
    };
    describe("accounts and characters", () => {
      describeAccounts(current);
    });
    describe("what admins do with accounts", () => {
      describeUsers(current);
    });
    describe("snapshots", () => {
      if (snapshots) describeSnapshots(current);
      else describeNoSnapshots(current);
    });
    describe("sessions", () => {
      describeSessions(current);
    });
    describe("saves, objects, edits", () => {
      describeWorld(current);
    });
    describe("chat, releases, facts", () => {
      describeChat(current);
    });
  });
}

interface OpenedStore {
  readonly store: Store;
  readonly registry: Registry;
  /** Empties all tables. */
  clear(): Promise<void>;
}

async function openStore(backend: Backend, types: Registry): Promise<OpenedStore> {
  let database: Database | undefined;
  const store = createSqlStore({
    registry: types,
    backend: {
      ...backend,
      begin(begun) {
        database = begun;
        backend.begin?.(begun);
      },
    },
  });
  await store.start();
  const tables = entities.map((entity) => entity.meta.tableName).join(", ");
  return {
    store,
    registry: types,
    async clear() {
      await database?.run((em) => rows(em, `truncate ${tables}`));
    },
  };
}
