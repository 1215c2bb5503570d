import type { Registry } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, type TestContext } from "vitest";
import type { Store } from "../../server/store/store.ts";
import { describeAccounts } from "./store-contract-accounts.ts";
import { describeChat } from "./store-contract-chat.ts";
import { describeSessions } from "./store-contract-sessions.ts";
import { describeWorld } from "./store-contract-world.ts";
import { registry } from "./store-samples.ts";

/** One empty place to keep a world in. */
export interface StoreHarness {
  /** A store on the place, not started. */
  open(options: { readonly registry: Registry; readonly timeoutMs?: number }): Store;
  /** Forgets the place. All stores on it are closed by then. */
  close(): Promise<void>;
}

/** What a test of the contract has at hand. */
export interface StoreUnderTest {
  /** A started store on an empty place. */
  readonly store: Store;
  /** Closes the store and starts another one on the same place. */
  reopen(options?: { readonly registry: Registry }): Promise<Store>;
}

/** The rules of `Store`, for every implementation. `makeHarness` may skip the test. */
export function describeStore(
  name: string,
  makeHarness: (context: TestContext) => Promise<StoreHarness>,
): void {
  describe(name, () => {
    let harness: StoreHarness | undefined;
    let store: Store | undefined;
    beforeEach(async (context) => {
      harness = await makeHarness(context);
      store = harness.open({ registry });
      await store.start();
    });
    afterEach(async () => {
      await store?.close();
      await harness?.close();
      store = undefined;
      harness = undefined;
    });

    const current = (): StoreUnderTest => {
      if (!store) throw new Error("No store is open.");
      return {
        store,
        async reopen(options = { registry }) {
          await store?.close();
          store = harness?.open(options);
          await store?.start();
          return current().store;
        },
      };
    };

    describe("accounts and characters", () => {
      describeAccounts(current);
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
