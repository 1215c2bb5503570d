import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { type Role, RoleSchema } from "../../gen/ts/realmwire/v1/options_pb.ts";
import type { Ban, User } from "../../gen/ts/realmwire/v1/user_pb.ts";

/** A role as people write it, such as `admin`. */
export function roleName(role: Role | undefined): string {
  const { name = "" } = RoleSchema.value[role ?? 0] ?? {};
  return name.replace("ROLE_", "").toLowerCase();
}

/** A moment as people read it: in UTC, to the minute. */
export function describeTime(time: Timestamp | undefined): string {
  return time ? `${timestampDate(time).toISOString().slice(0, 16).replace("T", " ")} UTC` : "";
}

/** A ban in a few words; empty: there is none. */
export function describeBan(ban: Ban | undefined): string {
  if (!ban) return "";
  return `banned ${ban.until ? `until ${describeTime(ban.until)}` : "for good"}: ${ban.reason}`;
}

/** A row of the table of users. */
export function userRow({ account, ban }: User): string[] {
  const { name = "", role, email = "", createdAt } = account ?? {};
  return [name, roleName(role), describeTime(createdAt), email, describeBan(ban)];
}
