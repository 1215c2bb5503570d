import type {
  AccountRecord,
  CharacterRecord,
  ChatRecord,
  EditRecord,
  ObjectRecord,
  PlacesRecord,
  ReleaseRecord,
  SessionRecord,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { Ban } from "../../gen/ts/realmwire/v1/user_pb.ts";

/** A session with the account and the character that it stands for. */
export interface SessionView {
  readonly session: SessionRecord;
  readonly account: AccountRecord;
  /** The character that the session plays, if it plays one. */
  readonly character: CharacterRecord | undefined;
}

/**
 * What a batch of saves holds. Rows are replaced whole, but for components of types that the store's registry lacks:
 * another game may want them again. Components come back ordered by type. A batch must not be changed while it is saved.
 */
export interface SaveBatch {
  /** Zone, position and components of characters, by `id`. Ids that no longer exist are passed over. */
  readonly characters: readonly CharacterRecord[];
  /** Things and creatures, by zone and name. */
  readonly objects: readonly ObjectRecord[];
  /** Where all characters of a zone are, by zone. It counts for those whose own record is older, once it is settled. */
  readonly places?: readonly PlacesRecord[];
}

/** A copy of the database as it was at one moment. */
export interface Snapshot {
  /** The folder with its files. Whoever asked for it deletes it by `dispose`. */
  readonly folder: string;
  /** The database's major version, such as `18`. */
  readonly database: string;
  /** The changes that were made to the tables, in their order. */
  readonly migrations: readonly string[];
  /** For how long nothing could be read or written, in milliseconds. */
  readonly pausedMs: number;
  dispose(): Promise<void>;
}

/** Which accounts to list. */
export interface AccountPage {
  readonly size: number;
  /** The name to begin behind. */
  readonly after?: string;
  /** Only those whose name begins so. */
  readonly prefix?: string;
  readonly role?: Role;
  /** Only those that are banned at this time, in milliseconds since 1970-01-01. */
  readonly bannedAtMs?: number;
}

/**
 * Where the world is kept. A promise that resolves means committed. Every method rejects with a
 * `DomainError` `STORE_UNAVAILABLE` when the database cannot be reached or does not answer within
 * the store's time limit; after such an error a write may or may not have been made.
 *
 * Names are compared without regard to case (`nameKey`).
 */
export interface Store {
  /** Opens the database and brings its tables up to date. */
  start(): Promise<void>;
  /** Ends what runs and closes the database. */
  close(): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Copies the database for a backup. Rejects with `BACKUP_UNAVAILABLE` when that cannot be done with this kind of store. */
  snapshot(): Promise<Snapshot>;

  /** Stores an account with its first character in one transaction; both come back with their ids. Rejects with `NAME_TAKEN`. */
  createAccount(
    account: AccountRecord,
    character: CharacterRecord,
  ): Promise<{ account: AccountRecord; character: CharacterRecord }>;
  findAccount(name: string): Promise<AccountRecord | undefined>;
  findAccountById(id: number): Promise<AccountRecord | undefined>;
  /** A page of the accounts, ordered by name key. */
  listAccounts(page: AccountPage): Promise<AccountRecord[]>;
  /** Changes what is given. Rejects with `NAME_UNKNOWN` when there is no such account. */
  updateAccount(id: number, change: { passwordHash?: string; role?: Role }): Promise<void>;
  /**
   * Sets the ban of an account or, without one, takes it away. With a ban all of its live sessions end in the same transaction; their
   * token hashes come back. Rejects with `NAME_UNKNOWN` when there is no such account.
   */
  setBan(id: number, ban: Ban | undefined): Promise<Uint8Array[]>;

  /** Stores a new character. Rejects with `NAME_TAKEN`, and with `TOO_MANY_CHARACTERS` beyond `limit`, also when called at once. */
  createCharacter(character: CharacterRecord, limit: number): Promise<CharacterRecord>;
  findCharacter(name: string): Promise<CharacterRecord | undefined>;
  /** A page of an account's characters, ordered by name key; `after` is the name to begin behind. */
  listCharacters(
    accountId: number,
    page: { size: number; after?: string },
  ): Promise<CharacterRecord[]>;
  /** Deletes a character; false when there is none of that id. */
  deleteCharacter(id: number): Promise<boolean>;

  /**
   * Stores a session. Live sessions that play the same character become `REPLACED` in the same
   * transaction, and the account's `lastCharacterId` becomes this character; the token hashes of the replaced come back.
   * Rejects with `CHARACTER_UNKNOWN` when the character is not the account's.
   */
  createSession(session: SessionRecord): Promise<{ replaced: Uint8Array[] }>;
  /** Undefined for unknown hashes. Sessions that ended or ran out are answered too: the caller looks at `state` and `expiresAt`. */
  findSession(tokenHash: Uint8Array): Promise<SessionView | undefined>;
  /**
   * Makes the session play another character, replacing others as `createSession` does. Rejects with
   * `CHARACTER_UNKNOWN`, and with `TOKEN_INVALID` when the session does not live.
   */
  selectCharacter(tokenHash: Uint8Array, characterId: number): Promise<{ replaced: Uint8Array[] }>;
  /** Sets the state of a live session. */
  endSession(tokenHash: Uint8Array, state: SessionState): Promise<void>;
  /** Ends all live sessions of an account but one; their token hashes come back. */
  endOtherSessions(accountId: number, keep: Uint8Array): Promise<Uint8Array[]>;
  /** Makes live sessions of an account `KICKED`, all or those that play a character; their token hashes come back. */
  kickSessions(
    accountId: number,
    kick: { readonly reason: string; readonly characterId?: number },
  ): Promise<Uint8Array[]>;
  /** Live sessions of an account that have not run out at this time. */
  countSessions(accountId: number, nowMs: number): Promise<number>;
  /** Moves a session's end. */
  extendSession(tokenHash: Uint8Array, expiresAtMs: number): Promise<void>;
  /** Deletes sessions whose end lies before this time; how many comes back. */
  deleteExpiredSessions(beforeMs: number): Promise<number>;

  /** Writes a batch in one transaction. */
  save(batch: SaveBatch): Promise<void>;
  /**
   * Puts characters where the places of a zone say that they are, if they were saved before those: whoever runs the zone next replaces them.
   * Done for all zones when the store starts, so that after a crash every character is where it was.
   */
  settlePlaces(zone: string): Promise<void>;
  /** What is stored of a zone's things and creatures. */
  listObjects(zone: string): Promise<ObjectRecord[]>;
  /** Forgets a thing or creature of a zone. */
  deleteObject(zone: string, name: string): Promise<void>;

  /**
   * Stores an edit, and in the same transaction forgets the stored objects that it puts or takes away: their state
   * was that of others. Rejects with `REVISION_CONFLICT` when the zone already has this revision.
   */
  appendEdit(edit: EditRecord): Promise<void>;
  /** The edits of a zone, by revision. */
  listEdits(zone: string): Promise<EditRecord[]>;

  /** Stores messages in their order and gives them ids that grow; of each character's messages only the newest `keepPerCharacter` need be kept. */
  appendChat(records: readonly ChatRecord[], keepPerCharacter: number): Promise<number[]>;
  /** Messages that a character heard or said, the newest first, with ids below `beforeId` if given. */
  listChat(characterId: number, page: { size: number; beforeId?: number }): Promise<ChatMessage[]>;

  /** Makes a release the current one of its platform. */
  publishRelease(release: ReleaseRecord): Promise<void>;
  /** The current releases, by platform. */
  listReleases(): Promise<ReleaseRecord[]>;

  /** A value that belongs to the world as a whole, such as `dev-accounts-created`. */
  getFact(key: string): Promise<string | undefined>;
  /** Stores it. */
  setFact(key: string, value: string): Promise<void>;
}

/** The form in which names are compared: NFKC, lower case. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
