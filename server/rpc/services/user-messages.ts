import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AccountRecord } from "../../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { UserSchema, UserTarget } from "../../../gen/ts/realmwire/v1/user_pb.ts";
import { holds } from "../../account/session-end.ts";
import type { UserName } from "../../account/users.ts";
import { describeAccount } from "./account-messages.ts";

/** An account as admins see it at a time, in milliseconds since 1970-01-01: a ban that is over is none. */
export function describeUser(
  account: AccountRecord,
  nowMs: number,
): MessageInitShape<typeof UserSchema> {
  const { ban } = account;
  return { account: describeAccount(account), ...(holds(ban, nowMs) && { ban }) };
}

/** Whom a request means. Its rules were checked: it names somebody. */
export function nameOf(target: UserTarget | undefined): UserName {
  const { case: kind = "account", value: name = "" } = target?.by ?? {};
  return { kind, name };
}
