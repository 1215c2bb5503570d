import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CharacterRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  type Accounts,
  type AccountsOptions,
  createAccounts,
} from "../../server/account/accounts.ts";
import type { LocalBus } from "../../server/bus/local-bus.ts";
import type { Store } from "../../server/store/store.ts";
import { createMemoryLog, type LogLine } from "./rpc-server.ts";

/** How long sessions of {@link startAccounts} live, in milliseconds. */
export const SESSION_TTL_MS = 24 * 3_600_000;

/** The address that everybody calls from. */
export const PEER = "192.0.2.1";

/** A name that something of the world has. */
export const RESERVED_NAME = "well";

/** A clock that is put forward by hand, in milliseconds since 1970-01-01. */
export interface TestClock {
  now(): number;
  pass(ms: number): void;
}

/** Creates a clock that begins at the present time. */
export function createTestClock(): TestClock {
  let nowMs = Date.now();
  return { now: () => nowMs, pass: (ms) => void (nowMs += ms) };
}

/** The accounts of one node. */
export interface AccountsNode {
  readonly accounts: Accounts;
  /** Names of characters that count as being in the world. */
  readonly inWorld: Set<string>;
  readonly log: readonly LogLine[];
  close(): Promise<void>;
}

/** Starts the accounts of a node on a store and a bus that others may share. Characters begin in the zone `town`. */
export async function startAccounts(options: {
  readonly store: Store;
  readonly bus: LocalBus;
  readonly clock: TestClock;
  readonly accounts?: Partial<AccountsOptions>;
}): Promise<AccountsNode> {
  const { store, clock } = options;
  const bus = options.bus.connect();
  await bus.start();
  const { logger, lines } = createMemoryLog();
  const inWorld = new Set<string>();
  const accounts = createAccounts({
    store,
    bus,
    game: {
      newCharacter: (name, accountId) =>
        create(CharacterRecordSchema, {
          name,
          accountId,
          zone: "town",
          createdAt: timestampFromMs(clock.now()),
        }),
      isReserved: (name) => name.toLowerCase() === RESERVED_NAME,
      isInWorld: (name) => inWorld.has(name),
    },
    now: clock.now,
    sessionTtlMs: SESSION_TTL_MS,
    logger,
    ...options.accounts,
  });
  await accounts.start();
  return {
    accounts,
    inWorld,
    log: lines,
    async close() {
      await accounts.close();
      await bus.close();
    },
  };
}
