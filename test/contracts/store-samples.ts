import { randomBytes } from "node:crypto";
import { create, createRegistry } from "@bufbuild/protobuf";
import { type Any, anyPack, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AccountRecord,
  AccountRecordSchema,
  type CharacterRecord,
  CharacterRecordSchema,
  type ChatRecord,
  ChatRecordSchema,
  type EditRecord,
  EditRecordSchema,
  type ObjectRecord,
  ObjectRecordSchema,
  type SessionRecord,
  SessionRecordSchema,
  SessionState,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ChatKind } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { RegionSchema, ValueSchema, VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";

/** A moment with milliseconds, which a store must keep. */
export const MOMENT = timestampFromMs(1_790_000_000_123);

/** Components as a game would have them: any message may be one. */
export const registry = createRegistry(ValueSchema, VectorSchema);

/** A registry that knows one type more, and lacks `Vector`. */
export const otherRegistry = createRegistry(ValueSchema, RegionSchema);

/** A component with a number. */
export function vectorComponent(x: number): Any {
  return anyPack(VectorSchema, create(VectorSchema, { x }));
}

/** A component with a text. */
export function textComponent(stringValue: string): Any {
  return anyPack(
    ValueSchema,
    create(ValueSchema, { kind: { case: "stringValue", value: stringValue } }),
  );
}

/** A component that {@link registry} does not know. */
export function regionComponent(width: number): Any {
  return anyPack(RegionSchema, create(RegionSchema, { width }));
}

export function account(name: string): AccountRecord {
  return create(AccountRecordSchema, {
    name,
    role: Role.PLAYER,
    email: `${name}@example.org`,
    passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    createdAt: MOMENT,
  });
}

export function character(
  name: string,
  fields: { readonly accountId?: number } = {},
): CharacterRecord {
  return create(CharacterRecordSchema, {
    name,
    zone: "town",
    position: { x: 1.5, y: -2.25, z: 0.1 },
    components: [textComponent("merry"), vectorComponent(3)],
    createdAt: MOMENT,
    ...fields,
  });
}

export function session(
  accountId: number,
  characterId: number,
  fields: { readonly expiresAt?: Timestamp } = {},
): SessionRecord {
  return create(SessionRecordSchema, {
    tokenHash: new Uint8Array(randomBytes(32)),
    accountId,
    characterId,
    state: SessionState.LIVE,
    createdAt: MOMENT,
    expiresAt: timestampFromMs(Date.now() + 3_600_000),
    ...fields,
  });
}

export function object(zone: string, name: string, components: Any[]): ObjectRecord {
  return create(ObjectRecordSchema, { zone, name, components, position: { x: 4, y: 5, z: 6 } });
}

export function edit(zone: string, revision: number): EditRecord {
  return create(EditRecordSchema, {
    zone,
    revision,
    commands: [{ kind: { case: "removeObject", value: "lantern" } }],
    inverse: [{ kind: { case: "putObject", value: { name: "lantern" } } }],
    author: "builder",
    time: MOMENT,
    undoes: revision - 1,
  });
}

export function said(text: string, heardBy: number[]): ChatRecord {
  return create(ChatRecordSchema, {
    heardBy,
    message: {
      kind: ChatKind.SAY,
      from: "Ada",
      to: "",
      zone: "town",
      text,
      time: MOMENT,
      entityId: 4_000_000_000,
    },
  });
}
