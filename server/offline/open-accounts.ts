import { create } from "@bufbuild/protobuf";
import type { AccountRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { NewRequestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createAccounts } from "../account/accounts.ts";
import { createPasswords } from "../account/passwords.ts";
import { createLocalBus } from "../bus/local-bus.ts";
import { loadGame } from "../load-game.ts";
import { plainLogger } from "../logger.ts";
import { createRequestValidator } from "../rpc/pipeline/validation.ts";
import { creatureNames } from "../sim/population.ts";
import type { GameWorld } from "../zone/game-world.ts";
import { nameKey } from "../store/store.ts";
import { createCharacter, createStore } from "../world-parts.ts";

export { readablePassword } from "../account/readable-password.ts";

/** How long the database may take to answer, in milliseconds: nobody else waits. */
const STORE_TIMEOUT_MS = 30_000;
/** Sessions are not begun here. */
const NO_SESSIONS_MS = 1;

/** The accounts of a world, without its server. */
export interface OfflineAccounts {
  find(name: string): Promise<AccountRecord | undefined>;
  /** Creates an admin's account. Rejects with `INVALID_FIELDS` and `NAME_TAKEN`. */
  createAdmin(name: string, password: string): Promise<void>;
  /** Makes an account an admin's. */
  promote(account: AccountRecord): Promise<void>;
  /** Gives an account a new password, and ends its sessions. Rejects with `INVALID_FIELDS`. */
  setPassword(account: AccountRecord, password: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the accounts of a world in its database. The embedded one must not be in use: it rejects with a `FolderInUseError`. With a
 * PostgreSQL server a running game server may go on.
 */
export async function openAccounts(options: {
  readonly data: string;
  readonly databaseUrl: string;
  /** The game's folder: a new account has a character. */
  readonly game: string;
}): Promise<OfflineAccounts> {
  const logger = { ...plainLogger, warn() {} };
  const game = await loadGame(options.game);
  const { types } = game.world;
  const store = createStore({ ...options, types, logger, storeTimeoutMs: STORE_TIMEOUT_MS });
  const bus = createLocalBus();
  const passwords = createPasswords();
  const accounts = createAccounts({
    ...{ store, bus, now: Date.now, logger, passwords, sessionTtlMs: NO_SESSIONS_MS },
    game: {
      newCharacter: (name, accountId) =>
        createCharacter(game, { name, accountId, nowMs: Date.now() }),
      isReserved: (name) => hasThing(game.world, name),
      isInWorld: () => false,
    },
  });
  const validator = createRequestValidator();
  const check = (name: string, password: string) =>
    validator.validate(NewRequestSchema, create(NewRequestSchema, { name, password }));

  await store.start();
  return {
    find: store.findAccount,
    async createAdmin(name, password) {
      check(name, password);
      await accounts.create({ name, password, role: Role.ADMIN });
    },
    promote: ({ id }) => store.updateAccount(id, { role: Role.ADMIN }),
    async setPassword({ id, name }, password) {
      check(name, password);
      await store.updateAccount(id, { passwordHash: await passwords.hash(password) });
      await store.endOtherSessions(id, new Uint8Array());
    },
    close: store.close,
  };
}

/** Whether a thing or a creature of the game's maps has this name. */
function hasThing({ maps }: GameWorld, wanted: string): boolean {
  const key = nameKey(wanted);
  return [...maps.values()].some(({ objects, spawns }) => {
    const names = [...objects.map(({ name }) => name), ...spawns.flatMap(creatureNames)];
    return names.some((name) => nameKey(name) === key);
  });
}
