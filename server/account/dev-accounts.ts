import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { Bus } from "../bus/bus.ts";
import { hasReason } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import type { Passwords } from "./passwords.ts";
import { readablePassword } from "./readable-password.ts";

/** The ready-made accounts. */
const DEV_ACCOUNTS = [
  { name: "ada", role: Role.PLAYER },
  { name: "bob", role: Role.PLAYER },
  { name: "builder", role: Role.BUILDER },
  { name: "admin", role: Role.ADMIN },
] as const;

/** The store's fact that says how far they are: `creating`, then `created`. */
const FACT = "dev-accounts";
/** The lease that keeps two nodes from creating them at once. */
const LEASE_KEY = "dev-accounts";
/** Longer than creating them takes, in milliseconds. */
const LEASE_TTL_MS = 30_000;

/** Settings of the ready-made accounts. */
export interface DevAccountsOptions {
  /** The password of all of them. Default: a random one for each. */
  readonly password?: string;
}

/** The ready-made accounts of a development world. */
export interface DevAccounts {
  /** Creates them, once in a world's life. What comes back are the passwords, by name, of those that it just created. */
  ensure(options?: DevAccountsOptions): Promise<ReadonlyMap<string, string>>;
}

/** Creates the making of the ready-made accounts. `create` rejects with `NAME_TAKEN`. */
export function createDevAccounts(options: {
  readonly store: Pick<Store, "getFact" | "setFact" | "findAccount" | "updateAccount">;
  readonly bus: Pick<Bus, "acquireLease">;
  readonly create: (account: { name: string; role: Role; password: string }) => Promise<unknown>;
  readonly passwords: Passwords;
  readonly logger: Logger;
}): DevAccounts {
  const { store, bus, create, passwords, logger } = options;

  /** Whether the account was created; one that a start before this one left behind gets a new password. */
  async function provide(name: string, role: Role, password: string, isRetry: boolean) {
    try {
      await create({ name, role, password });
      return true;
    } catch (error) {
      if (!hasReason(error, ErrorReason.NAME_TAKEN)) {
        throw error;
      }
    }
    const account = isRetry ? await store.findAccount(name) : undefined;
    if (account === undefined) {
      logger.warn({ name }, "a ready-made account was not created: the name is taken");
      return false;
    }
    await store.updateAccount(account.id, { passwordHash: await passwords.hash(password), role });
    return true;
  }

  async function createAll(password: string | undefined): Promise<Map<string, string>> {
    const created = new Map<string, string>();
    const progress = await store.getFact(FACT);
    if (progress === "created") {
      return created;
    }
    await store.setFact(FACT, "creating");
    for (const { name, role } of DEV_ACCOUNTS) {
      const own = password ?? readablePassword();
      if (await provide(name, role, own, progress === "creating")) {
        created.set(name, own);
      }
    }
    await store.setFact(FACT, "created");
    return created;
  }

  return {
    async ensure({ password } = {}) {
      if ((await store.getFact(FACT)) === "created") {
        return new Map();
      }
      const value = new TextEncoder().encode(FACT);
      const lease = await bus.acquireLease(LEASE_KEY, { value, ttlMs: LEASE_TTL_MS });
      if (lease === undefined) {
        // Another node creates them now, and prints the passwords.
        return new Map();
      }
      try {
        return await createAll(password);
      } finally {
        await lease.release();
      }
    },
  };
}
