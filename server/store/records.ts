import { create, type DescEnum, enumFromJson } from "@bufbuild/protobuf";
import {
  type Timestamp,
  timestampDate,
  timestampFromDate,
  timestampNow,
} from "@bufbuild/protobuf/wkt";
import type { InferEntity } from "@mikro-orm/core";
import {
  type AccountRecord,
  AccountRecordSchema,
  type CharacterRecord,
  CharacterRecordSchema,
  type SessionRecord,
  SessionRecordSchema,
  type SessionState,
  SessionStateSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { type Role, RoleSchema } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { type Ban, BanSchema } from "../../gen/ts/realmwire/v1/user_pb.ts";
import { type Vector, VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { ComponentCodec } from "./component-codec.ts";
import type { AccountTable, CharacterTable, SessionTable } from "./entities.ts";
import { storableText } from "./storable-text.ts";

type AccountRow = InferEntity<typeof AccountTable>;
type CharacterRow = InferEntity<typeof CharacterTable>;
type SessionRow = InferEntity<typeof SessionTable>;

/** The moment of a record; now when the record has none. */
export function toDate(time: Timestamp | undefined): Date {
  return timestampDate(time ?? timestampNow());
}

/** The name of an enum value, as the database holds it. Throws for a number that the enum does not have. */
export function enumName(schema: DescEnum, number: number): string {
  const value = schema.value[number];
  if (!value) throw new RangeError(`${schema.typeName} has no value ${number}.`);
  return value.name;
}

/** The name of a role, as the table `accounts` holds it. */
export function roleName(role: Role): string {
  return enumName(RoleSchema, role);
}

/** The name of a state, as the table `sessions` holds it. */
export function stateName(state: SessionState): string {
  return enumName(SessionStateSchema, state);
}

/** What the table `sessions` holds of a live session. */
export const LIVE = "SESSION_STATE_LIVE";

/** Columns of a position; all null when it is unset. */
export function toColumns(position: Vector | undefined): {
  x: number | null;
  y: number | null;
  z: number | null;
} {
  return position ? { x: position.x, y: position.y, z: position.z } : { x: null, y: null, z: null };
}

/** The position that columns hold. */
export function fromColumns(row: {
  x?: number | null | undefined;
  y?: number | null | undefined;
  z?: number | null | undefined;
}): Vector | undefined {
  const { x, y, z } = row;
  if (typeof x !== "number" || typeof y !== "number") return undefined;
  return create(VectorSchema, { x, y, z: z ?? 0 });
}

/** The columns of a ban; all null when there is none. */
export function toBanColumns(ban: Ban | undefined) {
  if (!ban) return { banReason: null, banSince: null, banUntil: null, banBy: null };
  return {
    banReason: storableText(ban.reason),
    banSince: toDate(ban.since),
    banUntil: ban.until ? timestampDate(ban.until) : null,
    banBy: storableText(ban.by),
  };
}

function toBan({ banReason, banSince, banUntil, banBy }: Partial<AccountRow>): Ban | undefined {
  if (!banSince) return undefined;
  return create(BanSchema, {
    reason: banReason ?? "",
    since: timestampFromDate(banSince),
    ...(banUntil && { until: timestampFromDate(banUntil) }),
    by: banBy ?? "",
  });
}

/** What a row of `accounts` has that was just made. */
type NewAccountRow = Omit<AccountRow, "banReason" | "banSince" | "banUntil" | "banBy">;

/** The record of a row of `accounts`. */
export function toAccount(row: NewAccountRow & Partial<AccountRow>): AccountRecord {
  const ban = toBan(row);
  return create(AccountRecordSchema, {
    id: row.id,
    name: row.name,
    role: enumFromJson(RoleSchema, row.role),
    email: row.email,
    passwordHash: row.passwordHash,
    createdAt: timestampFromDate(row.createdAt),
    lastCharacterId: row.lastCharacterId ?? 0,
    ...(ban && { ban }),
  });
}

/** The record of a row of `characters`. */
export function toCharacter(row: CharacterRow, codec: ComponentCodec): CharacterRecord {
  return create(CharacterRecordSchema, {
    id: row.id,
    accountId: row.accountId,
    name: row.name,
    zone: row.zone,
    position: fromColumns(row),
    components: codec.decode(row.components),
    createdAt: timestampFromDate(row.createdAt),
  });
}

/** The record of a row of `sessions`. */
export function toSession(row: SessionRow): SessionRecord {
  return create(SessionRecordSchema, {
    tokenHash: new Uint8Array(row.tokenHash),
    accountId: row.accountId,
    characterId: row.characterId ?? 0,
    state: enumFromJson(SessionStateSchema, row.state),
    createdAt: timestampFromDate(row.createdAt),
    expiresAt: timestampFromDate(row.expiresAt),
    endReason: row.endReason,
  });
}
