import type { AccountRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { DomainError } from "../errors.ts";
import { nameKey, type Store } from "../store/store.ts";
import type { SessionNews } from "./session-news.ts";
import type { Sessions } from "./sessions.ts";

/** Names of accounts that the server's configuration gives a role. */
export interface ConfiguredRoles {
  readonly admins: readonly string[];
  readonly builders: readonly string[];
}

/** The roles of accounts. */
export interface Roles {
  /** Changes the role of an account; its sessions go on with the new one. Rejects with `NAME_UNKNOWN`. */
  set(name: string, role: Role): Promise<AccountRecord>;
  /** Gives the named accounts at least these roles, now and when they register later. */
  ensure(roles: ConfiguredRoles): Promise<void>;
  /** The role that a new account of this name gets. */
  configuredFor(name: string): Role;
}

/** Creates the handling of roles. */
export function createRoles(options: {
  readonly store: Pick<Store, "findAccount" | "updateAccount">;
  readonly news: Pick<SessionNews, "accountChanged">;
  readonly sessions: Pick<Sessions, "refreshAccount">;
}): Roles {
  const { store, news, sessions } = options;
  const configured = new Map<string, Role>();

  async function change(account: AccountRecord, role: Role): Promise<AccountRecord> {
    await store.updateAccount(account.id, { role });
    // This node knows at once, the others when the news reach them.
    sessions.refreshAccount(account.id);
    news.accountChanged(account.id);
    return { ...account, role };
  }

  return {
    async set(name, role) {
      if (role < Role.PLAYER) {
        throw new DomainError(ErrorReason.INVALID_FIELDS, "no account can have this role", {
          violations: [{ field: "role", description: "must be player, builder or admin" }],
        });
      }
      const account = await store.findAccount(name);
      if (account === undefined) {
        throw new DomainError(ErrorReason.NAME_UNKNOWN, "no such account", { metadata: { name } });
      }
      return change(account, role);
    },
    async ensure({ admins, builders }) {
      configured.clear();
      for (const name of builders) {
        configured.set(nameKey(name), Role.BUILDER);
      }
      for (const name of admins) {
        configured.set(nameKey(name), Role.ADMIN);
      }
      for (const [name, role] of configured) {
        const account = await store.findAccount(name);
        // Nobody is lowered: roles are also given by admins.
        if (account !== undefined && account.role < role) {
          await change(account, role);
        }
      }
    },
    configuredFor: (name) => configured.get(nameKey(name)) ?? Role.PLAYER,
  };
}
