import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { AccountSchema, CharacterSchema } from "../../gen/ts/realmwire/v1/account_pb.ts";
import type { Account, Character } from "../../gen/ts/realmwire/v1/account_pb.ts";
import type { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { LoginResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  LoginResponse,
  NewResponse,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { toRealmwireError } from "./errors.ts";
import { collectPages } from "./pages.ts";
import type { Patiently } from "./patience.ts";
import type { Storage } from "./storage.ts";

/** Who is logged in. */
export interface Session {
  /** Sent with every call. Whoever has it can act for the account. */
  readonly token: string;
  readonly account: Account;
  /** The name of the character that is played. Empty: the account has none. */
  readonly character: string;
}

/** Begins and ends sessions, and keeps the present one. The calls reject with a `RealmwireError`. */
export interface SessionKeeper {
  readonly current: Session | undefined;
  /** Creates an account with its first character, which has the account's name, and logs in. Waits its turn like a login. */
  register(name: string, password: string, email?: string): Promise<Session>;
  /** Logs in. Without a character, the one that was played last is selected. When too many log in, it tries again when the server says, as long as its patience lasts. */
  login(name: string, password: string, character?: string): Promise<Session>;
  /** Takes up the session that the storage holds; undefined when there is none that still works. */
  resume(): Promise<Session | undefined>;
  /** Ends the session on the server, and forgets it here even if the server cannot be reached. */
  logout(): Promise<void>;
  readonly characters: {
    list(): Promise<Character[]>;
    /** Creates a character. It is not selected by that. */
    create(name: string): Promise<Character>;
    /** Selects the character to play. Open worlds go on with it. */
    select(name: string): Promise<Character>;
    /** Deletes a character for good. */
    delete(name: string): Promise<void>;
  };
}

/** What a session keeper is made with. */
export interface SessionKeeperOptions {
  readonly storage: Storage;
  /** Where the session is kept in the storage. */
  readonly storageKey: string;
  readonly world: Client<typeof WorldService>;
  readonly account: Client<typeof AccountService>;
  /** Makes the calls that hash a password. */
  readonly patiently: Patiently;
}

/** Creates a keeper without a session. */
export function createSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const { storage, storageKey, world, account, patiently } = options;
  let current: Session | undefined;

  const begin = async (session: Session): Promise<Session> => {
    current = session;
    await storage.set(storageKey, sessionToText(session));
    return session;
  };

  const forget = async (): Promise<void> => {
    current = undefined;
    await storage.remove(storageKey);
  };

  const listCharacters = (): Promise<Character[]> =>
    collectPages(async (pageToken) => {
      const page = await account.listCharacters({ pageToken });
      return { items: page.characters, nextPageToken: page.nextPageToken };
    });

  return {
    get current() {
      return current;
    },
    login: async (name, password, character = "") =>
      begin(toSession(await patiently(() => world.login({ name, password, character })))),
    register: async (name, password, email = "") =>
      begin(toSession(await patiently(() => world.new({ name, password, email })))),
    async resume() {
      const stored = sessionFromText(await storage.get(storageKey));
      if (stored === undefined) return undefined;
      current = stored;
      try {
        const selected = (await listCharacters()).find((character) => character.selected);
        return await begin({ ...stored, character: selected?.name ?? "" });
      } catch (error) {
        current = undefined;
        if (toRealmwireError(error).code !== Code.Unauthenticated) throw error;
        await forget();
        return undefined;
      }
    },
    async logout() {
      try {
        if (current) await account.logout({});
      } catch (error) {
        // A token that does not work any more is as good as logged out.
        if (toRealmwireError(error).code !== Code.Unauthenticated) throw error;
      } finally {
        await forget();
      }
    },
    characters: {
      list: listCharacters,
      create: async (name) => orNamed(name, (await account.createCharacter({ name })).character),
      async select(name) {
        const character = orNamed(name, (await account.selectCharacter({ name })).character);
        if (current) await begin({ ...current, character: character.name });
        return character;
      },
      delete: async (name) => void (await account.deleteCharacter({ name })),
    },
  };
}

function orNamed(name: string, character: Character | undefined): Character {
  return character ?? create(CharacterSchema, { name });
}

function toSession(response: LoginResponse | NewResponse): Session {
  const { token, account = create(AccountSchema), character } = response;
  return { token, account, character };
}

// The stored form is the answer to a login, reduced to what a session needs: no address of the player.
function sessionToText({ token, account, character }: Session): string {
  const { name, role } = account;
  return toJsonString(
    LoginResponseSchema,
    create(LoginResponseSchema, { token, account: { name, role }, character }),
  );
}

function sessionFromText(text: string | null | undefined): Session | undefined {
  if (!text) return undefined;
  try {
    return toSession(fromJsonString(LoginResponseSchema, text, { ignoreUnknownFields: true }));
  } catch {
    return undefined; // Not ours, or damaged: the same as nothing.
  }
}
