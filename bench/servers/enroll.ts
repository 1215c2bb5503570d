import { createHash, randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AccountRecordSchema,
  CharacterRecordSchema,
  SessionRecordSchema,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { LoadedGame } from "../../server/load-game.ts";
import type { Store } from "../../server/store/store.ts";
import type { Place } from "../world/rules.ts";

/** Long enough that no server prolongs it at its first use. */
const SESSION_MS = 365 * 86_400_000;
/** Accounts that are stored at once. */
const ENROLL_AT_ONCE = 50;

/** Somebody who gets an account without the call. */
export interface Enrolled {
  readonly name: string;
  readonly home: Place;
  /** Default: a player. */
  readonly role?: Role;
  /** As the server stores it. Default: none, so that nobody can log in. */
  readonly passwordHash?: string;
}

/** Stores accounts with a character each that stands at home and a session that plays it; their tokens come back. */
export async function enrollAll(
  store: Store,
  game: LoadedGame,
  people: readonly Enrolled[],
): Promise<string[]> {
  const tokens: string[] = [];
  for (let first = 0; first < people.length; first += ENROLL_AT_ONCE) {
    const some = people.slice(first, first + ENROLL_AT_ONCE);
    tokens.push(...(await Promise.all(some.map((person) => enroll(store, game, person)))));
  }
  return tokens;
}

async function enroll(store: Store, game: LoadedGame, person: Enrolled): Promise<string> {
  const { name, home, role = Role.PLAYER, passwordHash = "" } = person;
  const now = timestampFromMs(Date.now());
  const { startZone, character } = game.game;
  const components = [anyPack(BodySchema, create(BodySchema, character.body))];
  for (const message of character.components) {
    const type = game.world.types.byName(message.$typeName);
    if (type) components.push(anyPack(type.schema, message));
  }
  const stored = await store.createAccount(
    create(AccountRecordSchema, { name, role, passwordHash, createdAt: now }),
    create(CharacterRecordSchema, {
      name,
      zone: startZone,
      position: { ...home, z: 0 },
      components,
      createdAt: now,
    }),
  );
  const token = randomBytes(32).toString("base64url");
  await store.createSession(
    create(SessionRecordSchema, {
      tokenHash: new Uint8Array(createHash("sha256").update(token).digest()),
      accountId: stored.account.id,
      characterId: stored.character.id,
      state: SessionState.LIVE,
      createdAt: now,
      expiresAt: timestampFromMs(Date.now() + SESSION_MS),
    }),
  );
  return token;
}
