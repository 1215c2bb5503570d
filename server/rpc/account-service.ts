import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Accounts } from "../account/accounts.ts";
import type { Session } from "../account/session.ts";
import { DomainError } from "../errors.ts";
import { type CharacterPresence, describeCharacter } from "./account-messages.ts";
import { type Call, defineService, type ServiceDefinition } from "./service.ts";

/** Characters a page when the caller does not say. */
const DEFAULT_PAGE_SIZE = 50;
/** What a page token begins with, so that another list's token, or a later form, is told from this one. */
const PAGE_TOKEN_MARK = "c1:";

/** The service of the caller's account, characters and session. */
export function createAccountService(options: {
  readonly accounts: Accounts;
  readonly presence: CharacterPresence;
}): ServiceDefinition {
  const { accounts, presence } = options;
  return defineService(AccountService, {
    async logout(_, call) {
      await accounts.logout(requireSession(call));
      return {};
    },
    async changePassword({ oldPassword, newPassword }, call) {
      await accounts.changePassword(requireSession(call), oldPassword, newPassword, call.signal);
      return {};
    },
    async listCharacters({ pageSize, pageToken }, call) {
      const session = requireSession(call);
      const page = await accounts.listCharacters(session, {
        size: pageSize || DEFAULT_PAGE_SIZE,
        ...(pageToken === "" ? {} : { after: readPageToken(pageToken) }),
      });
      return {
        characters: page.characters.map((record) => describeCharacter(record, session, presence)),
        nextPageToken: page.next === undefined ? "" : writePageToken(page.next),
      };
    },
    async createCharacter({ name }, call) {
      const session = requireSession(call);
      const record = await accounts.createCharacter(session, name);
      return { character: describeCharacter(record, session, presence) };
    },
    async selectCharacter({ name }, call) {
      const selected = await accounts.selectCharacter(requireSession(call), name);
      return { character: describeCharacter(selected.character, selected.session, presence) };
    },
    async deleteCharacter({ name }, call) {
      await accounts.deleteCharacter(requireSession(call), name);
      return {};
    },
  });
}

/** All calls of the service ask for a player, so that the pipeline lets nobody in without a session. */
function requireSession(call: Call): Session {
  if (call.session === undefined) {
    throw new DomainError(ErrorReason.LOGIN_REQUIRED, "the call needs a login");
  }
  return call.session;
}

function writePageToken(after: string): string {
  return Buffer.from(PAGE_TOKEN_MARK + after).toString("base64url");
}

function readPageToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  const after = text.slice(PAGE_TOKEN_MARK.length);
  // Decoding passes over what it does not know, so that only a token that comes out the same is one of ours.
  if (!text.startsWith(PAGE_TOKEN_MARK) || after === "" || writePageToken(after) !== token) {
    throw new DomainError(ErrorReason.INVALID_FIELDS, "the page token is broken", {
      violations: [
        { field: "page_token", description: "must be the `next_page_token` of the page before" },
      ],
    });
  }
  return after;
}
