import type { CharacterRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Accounts, AccountsOptions } from "./accounts.ts";
import type { Sessions } from "./sessions.ts";

/** The characters of accounts. The methods are those of {@link Accounts}. */
export interface Characters {
  readonly list: Accounts["listCharacters"];
  readonly create: Accounts["createCharacter"];
  readonly select: Accounts["selectCharacter"];
  readonly delete: Accounts["deleteCharacter"];
  /** A character of an account by name. Rejects with `CHARACTER_UNKNOWN`. */
  require(accountId: number, name: string): Promise<CharacterRecord>;
}

/** Creates the handling of characters. */
export function createCharacters(options: {
  readonly store: Store;
  readonly game: AccountsOptions["game"];
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
    create: (session, name) =>
      store.createCharacter(game.newCharacter(name, session.accountId), maxCharacters),
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
      if (id === session.character?.id || (await sessions.isPlayedByOther(session, id))) {
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

/** The error for a name that somebody else has. */
export function nameTaken(name: string): DomainError {
  return new DomainError(ErrorReason.NAME_TAKEN, "the name is taken", { metadata: { name } });
}

function characterUnknown(name: string): DomainError {
  return new DomainError(ErrorReason.CHARACTER_UNKNOWN, "the account has no such character", {
    metadata: { name },
  });
}
