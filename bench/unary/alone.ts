// What the database does without a server: the same statements through the server's own store, as many at once as the
// calls are made. And what the password's hash takes, on the same threads.
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import {
  AccountRecordSchema,
  CharacterRecordSchema,
  EditRecordSchema,
  SessionRecordSchema,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { EditRequestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { CharacterRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { createPasswords } from "../../server/account/passwords.ts";
import { loadGame } from "../../server/load-game.ts";
import type { Store } from "../../server/store/store.ts";
import { enrollAll } from "../servers/enroll.ts";
import { createQuietLogger } from "../servers/quiet-logger.ts";
import { createStoreOf } from "./open-store.ts";
import { CREWS } from "./stretches.ts";
import { MAX_CALLERS, PASSWORD } from "./order.ts";
import type { AloneName, AloneResult, UnarySettings } from "./order.ts";
import { createRequests } from "./requests.ts";

const SESSION_MS = 86_400_000;
/** How long something is done before it is measured, as a part of the time that is measured. */
const WARM_UP = 0.4;

const settings = JSON.parse(process.argv[2] ?? "{}") as UnarySettings;
const game = await loadGame(resolve(import.meta.dirname, "game"));
const store: Store = createStoreOf(settings, game, createQuietLogger());
await store.start();
const zone = game.game.startZone;
const names = Array.from({ length: MAX_CALLERS }, (_, i) => `alone${i}`);
await enrollAll(
  store,
  game,
  names.map((name) => ({ name, home: { x: 20, y: 20 } })),
);
const characters: CharacterRecord[] = [];
for (const name of names) {
  const found = await store.findCharacter(name);
  if (found) characters.push(found);
}

const passwords = createPasswords();
const phc = await passwords.hash(PASSWORD);
const editBody = createRequests("Edit", 0, "")();
const { commands } = fromBinary(EditRequestSchema, editBody);
let revision = 1;
let count = 0;

/** The row that a Set writes: everything of the character. */
function changed(record: CharacterRecord): CharacterRecord {
  const purse = anyPack(PurseSchema, create(PurseSchema, { gold: 10n, steps: BigInt(++count) }));
  const others = record.components.filter(({ typeUrl }) => typeUrl !== purse.typeUrl);
  return create(CharacterRecordSchema, { ...record, components: [...others, purse] });
}

async function openSession(accountId: number, characterId: number): Promise<void> {
  const now = Date.now();
  await store.createSession(
    create(SessionRecordSchema, {
      tokenHash: new Uint8Array(randomBytes(32)),
      accountId,
      characterId,
      state: SessionState.LIVE,
      createdAt: timestampFromMs(now),
      expiresAt: timestampFromMs(now + SESSION_MS),
    }),
  );
}

const works: Record<AloneName, { atOnce: number; each?: number; do(i: number): Promise<unknown> }> =
  {
    hash: { atOnce: CREWS.Login, do: () => passwords.verify(PASSWORD, phc) },
    login: {
      atOnce: CREWS.Login,
      async do(i) {
        const account = await store.findAccount(names[i] ?? "");
        if (!account) throw new Error(`there is no ${names[i]}`);
        const all = await store.listCharacters(account.id, { size: 100 });
        await openSession(account.id, all[0]?.id ?? 0);
      },
    },
    new: {
      atOnce: CREWS.New,
      async do() {
        const name = `new${++count}`;
        await store.findAccount(name);
        const createdAt = timestampFromMs(Date.now());
        const record = { name, role: Role.PLAYER, passwordHash: phc, createdAt };
        const { components, position } = characters[0] ?? create(CharacterRecordSchema);
        const made = await store.createAccount(
          create(AccountRecordSchema, record),
          create(CharacterRecordSchema, {
            name,
            zone,
            components,
            createdAt,
            ...(position && { position }),
          }),
        );
        await openSession(made.account.id, made.character.id);
      },
    },
    find: { atOnce: CREWS.Get, do: (i) => store.findCharacter(names[i] ?? "") },
    save: {
      atOnce: CREWS.Set,
      do: (i) => store.save({ characters: characters.slice(i, i + 1).map(changed), objects: [] }),
    },
    batch: {
      atOnce: 1,
      each: CREWS.Set,
      do: () =>
        store.save({ characters: characters.slice(0, CREWS.Set).map(changed), objects: [] }),
    },
    edit: {
      atOnce: 1,
      do: () =>
        store.appendEdit(
          create(EditRecordSchema, {
            zone,
            revision: ++revision,
            commands,
            inverse: commands,
            author: "alone",
            time: timestampFromMs(Date.now()),
          }),
        ),
    },
  };

async function measure(what: AloneName): Promise<AloneResult> {
  const { atOnce, each = 1, do: work } = works[what];
  let done = 0;
  let isOver = false;
  const lanes = Array.from({ length: atOnce }, async (_, i) => {
    while (!isOver) {
      await work(i);
      done += each;
    }
  });
  await sleep(settings.seconds * WARM_UP * 1000);
  done = 0;
  const begun = performance.now();
  await sleep(settings.seconds * 1000);
  const perSecond = done / ((performance.now() - begun) / 1000);
  isOver = true;
  await Promise.all(lanes);
  return { what, perSecond };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const results: AloneResult[] = [];
for (const what of Object.keys(works) as AloneName[]) results.push(await measure(what));
await store.close();
process.send?.(results, () => process.exit(0));
