import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AccountRecord,
  AccountRecordSchema,
  type CharacterRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import { DomainError, nameTaken } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import { type CharacterMaker, type Characters, createCharacters } from "./characters.ts";
import { createDevAccounts, type DevAccounts } from "./dev-accounts.ts";
import { createLoginThrottle, type LoginThrottle } from "./login-throttle.ts";
import { createPasswords, type Passwords } from "./passwords.ts";
import { createRoles, type Roles } from "./roles.ts";
import { bannedError, holds, type SessionEnd } from "./session-end.ts";
import { createSessionNews } from "./session-news.ts";
import type { Authenticator, Session } from "./session.ts";
import { createSessions } from "./sessions.ts";
import { createUsers, type Users } from "./users.ts";

/** Characters that an account may have, unless the options say otherwise. */
export const DEFAULT_MAX_CHARACTERS = 10;
/** Characters that a login lists; accounts with more page through the rest. */
const MAX_CHARACTERS_AT_LOGIN = 100;

/** What a new account is made of. Its name and password are taken as valid: calls were checked before. */
export interface NewAccount {
  readonly name: string;
  readonly password: string;
  readonly email?: string;
  /** Default: a player, or what the configuration gives to that name. */
  readonly role?: Role;
}

/** What a login gives. */
export interface LoginResult {
  readonly token: string;
  readonly session: Session;
  readonly account: AccountRecord;
  /** By name, at most 100. */
  readonly characters: readonly CharacterRecord[];
  /** When the token runs out unless it is used. */
  readonly expiresAt: Timestamp;
}

/**
 * Accounts, their characters and their sessions. All methods that write reject with `STORE_UNAVAILABLE` when the
 * store is away; those that take a password with `TOO_MANY_CALLS` when too many passwords wait.
 */
export interface Accounts extends Authenticator {
  start(): Promise<void>;
  close(): Promise<void>;

  /** Stores an account with its first character, which has the same name. Rejects with `NAME_TAKEN`. */
  create(
    account: NewAccount,
    signal?: AbortSignal,
  ): Promise<{ account: AccountRecord; character: CharacterRecord }>;
  /** Creates an account and logs in. Rejects with `NAME_TAKEN`. */
  register(
    account: { name: string; password: string; email?: string },
    signal?: AbortSignal,
  ): Promise<LoginResult>;
  /**
   * Logs in from an address and selects the named character, or the one played last, or the first by name, or none. Rejects
   * with `CREDENTIALS_WRONG`, `TOO_MANY_FAILURES`, `ACCOUNT_BANNED` and `CHARACTER_UNKNOWN`.
   */
  login(
    credentials: { name: string; password: string; character?: string; noCharacter?: boolean },
    peer: string,
    signal?: AbortSignal,
  ): Promise<LoginResult>;
  logout(session: Session): Promise<void>;
  /** Changes the password and ends the account's other sessions. Rejects with `CREDENTIALS_WRONG` and `TOO_MANY_FAILURES`. */
  changePassword(
    session: Session,
    passwords: { oldPassword: string; newPassword: string },
    peer: string,
    signal?: AbortSignal,
  ): Promise<void>;

  readonly listCharacters: Characters["list"];
  readonly createCharacter: Characters["create"];
  readonly selectCharacter: Characters["select"];
  readonly deleteCharacter: Characters["delete"];

  /** What admins do with accounts. */
  readonly users: Users;
  readonly setRole: Roles["set"];
  readonly ensureRoles: Roles["ensure"];
  readonly ensureDevAccounts: DevAccounts["ensure"];

  /** Tells of sessions that were logged out or replaced, on whatever node. */
  onSessionEnded(listener: (key: string, end: SessionEnd) => void): Subscription;
  /** Tells of sessions that play another character now, on whatever node. */
  onCharacterChanged(listener: (key: string) => void): Subscription;
  /** Tells of accounts whose role changed, on whatever node. */
  onRoleChanged(listener: (accountId: number) => void): Subscription;
}

/** What {@link createAccounts} needs. */
export interface AccountsOptions {
  readonly store: Store;
  readonly bus: Pick<Bus, "publish" | "subscribe" | "acquireLease">;
  readonly game: CharacterMaker;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  /** How long a session lives unless it is used, in milliseconds. */
  readonly sessionTtlMs: number;
  readonly logger: Logger;
  /** Characters that an account may have. Default 10. */
  readonly maxCharacters?: number;
  /** Default: with the server's own bounds. */
  readonly passwords?: Passwords;
  /** Default: with the server's own bounds. */
  readonly loginThrottle?: LoginThrottle;
  /** Wrong tokens that one address may send a minute. Default 600. */
  readonly wrongTokensPerMinute?: number;
}

/** Creates the accounts of a server. The store and the bus are to be started before. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { store, bus, game, now, logger, passwords = createPasswords() } = options;
  const { loginThrottle = createLoginThrottle() } = options;
  const news = createSessionNews({ bus });
  const sessions = createSessions({ ...options, news });
  const roles = createRoles({ store, news, sessions });
  const characters = createCharacters({
    store,
    game,
    sessions,
    maxCharacters: options.maxCharacters ?? DEFAULT_MAX_CHARACTERS,
  });
  const devAccounts = createDevAccounts({ store, bus, create: createAccount, passwords, logger });

  async function createAccount(
    { name, password, email = "", role = roles.configuredFor(name) }: NewAccount,
    signal?: AbortSignal,
  ): Promise<{ account: AccountRecord; character: CharacterRecord }> {
    // The store checks it again; this spares the hash.
    if (game.isReserved(name) || (await store.findAccount(name)) !== undefined) {
      throw nameTaken(name);
    }
    const passwordHash = await passwords.hash(password, signal);
    const createdAt = timestampFromMs(now());
    return store.createAccount(
      create(AccountRecordSchema, { name, role, email, passwordHash, createdAt }),
      game.newCharacter(name, 0),
    );
  }

  /** The account whose name and password these are. */
  function requireAccount(
    name: string,
    password: string,
    peer: string,
    signal: AbortSignal | undefined,
  ): Promise<AccountRecord> {
    return loginThrottle.attempt(name, peer, () => findAccount(name, password, signal));
  }

  async function findAccount(
    name: string,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<AccountRecord> {
    const account = await store.findAccount(name);
    const isRight = await passwords.verify(password, account?.passwordHash, signal);
    if (account === undefined || !isRight) {
      throw new DomainError(ErrorReason.CREDENTIALS_WRONG, "the name or the password is wrong");
    }
    return account;
  }

  async function open(
    account: AccountRecord,
    character: CharacterRecord | undefined,
    all: readonly CharacterRecord[],
  ): Promise<LoginResult> {
    const { token, session, expiresAt } = await sessions.open(account, character);
    return { token, session, account, characters: all, expiresAt };
  }

  return {
    authenticate: sessions.authenticate,
    watch: sessions.watch,
    async start() {
      news.start();
      await sessions.start();
    },
    async close() {
      news.close();
      await sessions.close();
    },
    create: createAccount,
    async register(request, signal) {
      const { name, password, email = "" } = request;
      const { account, character } = await createAccount({ name, password, email }, signal);
      return open(account, character, [character]);
    },
    async login({ name, password, character: wanted, noCharacter }, peer, signal) {
      const account = await requireAccount(name, password, peer, signal);
      // Only to who knows the password: others need not know.
      if (holds(account.ban, now())) throw bannedError(account.ban);
      const all = await store.listCharacters(account.id, { size: MAX_CHARACTERS_AT_LOGIN });
      if (noCharacter) return open(account, undefined, all);
      const character = wanted
        ? await characters.require(account.id, wanted)
        : (all.find(({ id }) => id === account.lastCharacterId) ?? all[0]);
      return open(account, character, all);
    },
    logout: sessions.end,
    async changePassword(session, { oldPassword, newPassword }, peer, signal) {
      const account = await requireAccount(session.accountName, oldPassword, peer, signal);
      const passwordHash = await passwords.hash(newPassword, signal);
      await store.updateAccount(account.id, { passwordHash });
      await sessions.endOthers(session);
    },
    listCharacters: characters.list,
    createCharacter: characters.create,
    selectCharacter: characters.select,
    deleteCharacter: characters.delete,
    users: createUsers({ store, passwords, sessions, roles, now }),
    setRole: roles.set,
    ensureRoles: roles.ensure,
    ensureDevAccounts: devAccounts.ensure,
    onSessionEnded: news.onSessionEnded,
    onCharacterChanged: news.onCharacterChanged,
    onRoleChanged: news.onAccountChanged,
  };
}
