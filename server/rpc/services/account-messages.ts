import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  AccountRecord,
  CharacterRecord,
} from "../../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { AccountSchema, CharacterSchema } from "../../../gen/ts/realmwire/v1/account_pb.ts";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import type { LoginResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { LoginResult } from "../../account/accounts.ts";
import type { Session } from "../../account/session.ts";

/** What the gateway knows of characters. */
export interface CharacterPresence {
  /** Whether the character's player is connected, to whatever node. */
  online(characterName: string): boolean;
  /** The zone that the character is in now; undefined when it is not in the world, and then the stored one counts. */
  zone(characterName: string): string | undefined;
}

/** An account as its owner sees it. */
export function describeAccount(account: AccountRecord): MessageInitShape<typeof AccountSchema> {
  const { name, role, email, createdAt } = account;
  return { name, role, email, ...(createdAt === undefined ? {} : { createdAt }) };
}

/** A character as its owner sees it, or an admin, whose session does not matter. */
export function describeCharacter(
  record: CharacterRecord,
  session: Session | undefined,
  presence: CharacterPresence,
): MessageInitShape<typeof CharacterSchema> {
  const { id, name, createdAt } = record;
  return {
    name,
    zone: presence.zone(name) ?? record.zone,
    online: presence.online(name) ? OnlineStatus.ONLINE : OnlineStatus.OFFLINE,
    selected: id === session?.character?.id,
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/** The answer of Login and of New, without flags. */
export function toLoginAnswer(
  result: LoginResult,
  presence: CharacterPresence,
): Omit<MessageInitShape<typeof LoginResponseSchema>, "$typeName" | "flags"> {
  const { token, session, account, characters, expiresAt } = result;
  return {
    token,
    account: describeAccount(account),
    characters: characters.map((record) => describeCharacter(record, session, presence)),
    character: session.character?.name ?? "",
    expiresAt,
  };
}
