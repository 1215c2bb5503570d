import { AccountService } from "../../../gen/ts/realmwire/v1/account_service_pb.ts";
import type { Accounts } from "../../account/accounts.ts";
import { type CharacterPresence, describeCharacter } from "./account-messages.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { requireSession } from "../pipeline/require-session.ts";
import { defineService, type ServiceDefinition } from "../service.ts";

/** Characters a page when the caller does not say. */
const DEFAULT_PAGE_SIZE = 50;
/** The list that the page tokens belong to. */
const CHARACTERS = "characters";

/** The service of the caller's account, characters and session. */
export function createAccountService(options: {
  readonly accounts: Accounts;
  readonly presence: CharacterPresence;
  /** Throws `DRAINING` while nobody new may come. */
  readonly refuseLogins: () => void;
}): ServiceDefinition {
  const { accounts, presence, refuseLogins } = options;
  return defineService(AccountService, {
    async logout(_, call) {
      await accounts.logout(requireSession(call));
      return {};
    },
    async changePassword(passwords, call) {
      await accounts.changePassword(requireSession(call), passwords, call.peer, call.signal);
      return {};
    },
    async listCharacters({ pageSize, pageToken }, call) {
      const session = requireSession(call);
      const page = await accounts.listCharacters(session, {
        size: pageSize || DEFAULT_PAGE_SIZE,
        ...(pageToken === "" ? {} : { after: readPageToken(CHARACTERS, pageToken) }),
      });
      return {
        characters: page.characters.map((record) => describeCharacter(record, session, presence)),
        nextPageToken: page.next === undefined ? "" : writePageToken(CHARACTERS, page.next),
      };
    },
    async createCharacter({ name }, call) {
      const session = requireSession(call);
      const record = await accounts.createCharacter(session, name);
      return { character: describeCharacter(record, session, presence) };
    },
    async selectCharacter({ name }, call) {
      const session = requireSession(call);
      // Who came in as a tool does not become a player who would not have been let in.
      if (!session.character) refuseLogins();
      const selected = await accounts.selectCharacter(session, name);
      return { character: describeCharacter(selected.character, selected.session, presence) };
    },
    async deleteCharacter({ name }, call) {
      await accounts.deleteCharacter(requireSession(call), name);
      return {};
    },
  });
}
