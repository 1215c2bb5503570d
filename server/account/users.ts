import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  AccountRecord,
  CharacterRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { BanSchema } from "../../gen/ts/realmwire/v1/user_pb.ts";
import { DomainError } from "../errors.ts";
import { type AccountPage, nameKey, type Store } from "../store/store.ts";
import type { Passwords } from "./passwords.ts";
import { readablePassword } from "./readable-password.ts";
import type { Roles } from "./roles.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** Characters that a user is shown with. */
const MAX_CHARACTERS = 100;
/** What the player is told whose sessions end with the old password. */
const PASSWORD_RESET = "an admin has given the account a new password";

/** An account, by its own name or by that of one of its characters. */
export type UserName =
  | { readonly kind: "account"; readonly name: string }
  | { readonly kind: "character"; readonly name: string };

/** What admins do with the accounts of others. All methods that name somebody reject with `NAME_UNKNOWN`. */
export interface Users {
  /** A page of the accounts by name, and where the next one begins; undefined: it was the last. */
  list(
    page: Omit<AccountPage, "bannedAtMs"> & { readonly banned: boolean },
  ): Promise<{ accounts: AccountRecord[]; next: string | undefined }>;
  get(
    user: UserName,
  ): Promise<{ account: AccountRecord; characters: CharacterRecord[]; sessions: number }>;
  /** Rejects with `NOT_TO_ONESELF` when an admin takes the own role away. */
  setRole(admin: Session, name: string, role: Role): Promise<AccountRecord>;
  /** Makes up a new password, and ends all sessions. Rejects with `NOT_TO_ONESELF`. */
  resetPassword(
    admin: Session,
    user: UserName,
    signal?: AbortSignal,
  ): Promise<{ account: AccountRecord; password: string; sessions: number }>;
  /** Ends the sessions of an account, or the one that plays a character; how many comes back. */
  kick(user: UserName, reason: string): Promise<{ account: AccountRecord; sessions: number }>;
  /** Bans an account for so many milliseconds, or for good, and ends its sessions. Rejects with `NOT_TO_ONESELF`. */
  ban(
    admin: Session,
    user: UserName,
    ban: { readonly reason: string; readonly durationMs: number | undefined },
  ): Promise<{ account: AccountRecord; sessions: number }>;
  unban(user: UserName): Promise<AccountRecord>;
}

/** Creates what admins do with accounts. */
export function createUsers(options: {
  readonly store: Pick<
    Store,
    | "findAccount"
    | "findAccountById"
    | "findCharacter"
    | "listAccounts"
    | "listCharacters"
    | "countSessions"
    | "updateAccount"
  >;
  readonly passwords: Pick<Passwords, "hash">;
  readonly sessions: Pick<Sessions, "kick" | "setBan">;
  readonly roles: Pick<Roles, "set">;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): Users {
  const { store, passwords, sessions, roles, now } = options;

  async function find(user: UserName): Promise<{ account: AccountRecord; characterId?: number }> {
    if (user.kind === "account") {
      const account = await store.findAccount(user.name);
      if (account) return { account };
    } else {
      const character = await store.findCharacter(user.name);
      const account = character && (await store.findAccountById(character.accountId));
      if (account) return { account, characterId: character.id };
    }
    throw new DomainError(ErrorReason.NAME_UNKNOWN, `there is no ${user.kind} "${user.name}"`, {
      metadata: { name: user.name },
    });
  }

  return {
    async list({ size, banned, ...filter }) {
      // One more than asked for tells whether there is another page.
      const page = { ...filter, size: size + 1, ...(banned && { bannedAtMs: now() }) };
      const found = await store.listAccounts(page);
      const accounts = found.slice(0, size);
      return { accounts, next: found.length > size ? accounts.at(-1)?.name : undefined };
    },
    async get(user) {
      const { account } = await find(user);
      const [characters, count] = await Promise.all([
        store.listCharacters(account.id, { size: MAX_CHARACTERS }),
        store.countSessions(account.id, now()),
      ]);
      return { account, characters, sessions: count };
    },
    async setRole(admin, name, role) {
      if (nameKey(name) === nameKey(admin.accountName) && role < Role.ADMIN) {
        throw notToOneself("lower the own role");
      }
      return await roles.set(name, role);
    },
    async resetPassword(admin, user, signal) {
      const { account } = await find(user);
      if (account.id === admin.accountId) throw notToOneself("reset their own password");
      const password = readablePassword();
      await store.updateAccount(account.id, {
        passwordHash: await passwords.hash(password, signal),
      });
      const ended = await sessions.kick(account.id, { reason: PASSWORD_RESET });
      return { account, password, sessions: ended };
    },
    async kick(user, reason) {
      const { account, ...character } = await find(user);
      return { account, sessions: await sessions.kick(account.id, { reason, ...character }) };
    },
    async ban(admin, user, { reason, durationMs }) {
      const { account } = await find(user);
      if (account.id === admin.accountId) throw notToOneself("ban themselves");
      const sinceMs = now();
      const ban = create(BanSchema, {
        reason,
        since: timestampFromMs(sinceMs),
        ...(durationMs !== undefined && { until: timestampFromMs(sinceMs + durationMs) }),
        by: admin.accountName,
      });
      const ended = await sessions.setBan(account.id, ban);
      return { account: { ...account, ban }, sessions: ended };
    },
    async unban(user) {
      const { account } = await find(user);
      await sessions.setBan(account.id, undefined);
      const { ban: _, ...free } = account;
      return free;
    },
  };
}

function notToOneself(what: string): DomainError {
  return new DomainError(ErrorReason.NOT_TO_ONESELF, `admins cannot ${what}: another admin can`);
}
