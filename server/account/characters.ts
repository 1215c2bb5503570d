import type { CharacterRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, nameTaken } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** A page of characters. */
export interface CharacterPage {
  readonly characters: readonly CharacterRecord[];
  /** The name to begin behind for the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** What the world says of characters. */
export interface CharacterMaker {
  /** A character as it begins. The account's id is 0 when the account is created with it. */
  newCharacter(name: string, accountId: number): CharacterRecord;
  /** Whether something of the world has this name, so that no character may. */
  isReserved(name: string): boolean;
  /** Whether the character of this name is in the world now. */
  isInWorld(name: string): boolean;
}

/** The characters of accounts. */
export interface Characters {
  /** A page of the account's characters, by name key; `after` is the name to begin behind. */
  list(session: Session, page: { size: number; after?: string }): Promise<CharacterPage>;
  /** Stores a new one, which is not selected by that. Rejects with `NAME_TAKEN` or `TOO_MANY_CHARACTERS`. */
  create(session: Session, name: string): Promise<CharacterRecord>;
  /** Makes the session play another character, whose other session is replaced. Rejects with `CHARACTER_UNKNOWN`. */
  select(session: Session, name: string): Promise<{ session: Session; character: CharacterRecord }>;
  /** Rejects with `CHARACTER_UNKNOWN`, and with `CHARACTER_IN_USE` while the session plays it or it is in the world. */
  delete(session: Session, name: string): Promise<void>;
  /** A character of an account by name. Rejects with `CHARACTER_UNKNOWN`. */
  require(accountId: number, name: string): Promise<CharacterRecord>;
}

/** Creates the handling of characters. */
export function createCharacters(options: {
  readonly store: Store;
  readonly game: CharacterMaker;
  readonly sessions: Sessions;
  readonly maxCharacters: number;
}): Characters {
  const { store, game, sessions, maxCharacters } = options;

  async function requireCharacter(accountId: number, name: string): Promise<CharacterRecord> {
    const character = await store.findCharacter(name);
    // Somebody else's character is answered like one that does not exist.
    if (character?.accountId !== accountId) {
      throw characterUnknown(name);
    }
    return character;
  }

  return {
    require: requireCharacter,
    async list(session, { size, after }) {
      // One more than asked for shows whether there is another page.
      const page = { size: size + 1, ...(after === undefined ? {} : { after }) };
      const found = await store.listCharacters(session.accountId, page);
      const characters = found.slice(0, size);
      return { characters, next: found.length > size ? characters.at(-1)?.name : undefined };
    },
    async create(session, name) {
      if (game.isReserved(name)) throw nameTaken(name);
      return store.createCharacter(game.newCharacter(name, session.accountId), maxCharacters);
    },
    async select(session, name) {
      const character = await requireCharacter(session.accountId, name);
      // Selecting it again changes nothing, so that it need not leave the world.
      const isSelected = character.id === session.character?.id;
      return {
        session: isSelected ? session : await sessions.select(session, character),
        character,
      };
    },
    async delete(session, name) {
      const { id } = await requireCharacter(session.accountId, name);
      if (id === session.character?.id || game.isInWorld(name)) {
        throw new DomainError(ErrorReason.CHARACTER_IN_USE, "the character is being played", {
          metadata: { name },
        });
      }
      if (!(await store.deleteCharacter(id))) {
        throw characterUnknown(name);
      }
    },
  };
}

function characterUnknown(name: string): DomainError {
  return new DomainError(ErrorReason.CHARACTER_UNKNOWN, "the account has no such character", {
    metadata: { name },
  });
}
