import { type Duration, durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AdminService } from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { Role, RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { Users } from "../../account/users.ts";
import type { Backups } from "../../backup/backups.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";
import { type CharacterPresence, describeCharacter } from "./account-messages.ts";
import type { Announce } from "./announce.ts";
import type { Audit } from "./audit.ts";
import type { Drain } from "../drain.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { requireSession } from "../pipeline/require-session.ts";
import { defineService, type ServiceDefinition } from "../service.ts";
import { describeUser, nameOf } from "./user-messages.ts";
import { piecesOf, recordZone } from "./zone-recording.ts";

const DEFAULT_PAGE_SIZE = 100;
/** The list that the page tokens belong to. */
const USERS = "users";

/** The service with which admins run a server. Every call stands in the log. */
export function createAdminService(options: {
  readonly users: Users;
  readonly presence: CharacterPresence;
  readonly announce: Announce;
  readonly drain: Pick<Drain, "begin" | "cancel">;
  readonly backups: Backups;
  readonly zones: Pick<ZoneHost, "names" | "recording">;
  readonly audit: Audit;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): ServiceDefinition {
  const { users, presence, announce, drain, backups, zones, audit, now } = options;
  return defineService(AdminService, {
    listUsers: ({ pageSize, pageToken, prefix, role, banned }, call) =>
      audit(call, "ListUsers", { prefix, banned }, async () => {
        const { accounts, next } = await users.list({
          size: pageSize || DEFAULT_PAGE_SIZE,
          banned,
          ...(pageToken !== "" && { after: readPageToken(USERS, pageToken) }),
          ...(prefix !== "" && { prefix }),
          ...(role !== Role.UNSPECIFIED && { role }),
        });
        return {
          users: accounts.map((account) => describeUser(account, now())),
          nextPageToken: next === undefined ? "" : writePageToken(USERS, next),
        };
      }),
    getUser: ({ target }, call) =>
      audit(call, "GetUser", { target: nameOf(target) }, async () => {
        const { account, characters, sessions } = await users.get(nameOf(target));
        return {
          user: describeUser(account, now()),
          characters: characters.map((record) => describeCharacter(record, undefined, presence)),
          sessions,
        };
      }),
    setRole: ({ account: name, role }, call) =>
      audit(call, "SetRole", { account: name, role: RoleSchema.value[role]?.name }, async () => ({
        user: describeUser(await users.setRole(requireSession(call), name, role), now()),
      })),
    resetPassword: ({ target }, call) =>
      audit(call, "ResetPassword", { target: nameOf(target) }, async () => {
        const admin = requireSession(call);
        const { account, ...rest } = await users.resetPassword(admin, nameOf(target), call.signal);
        return { user: describeUser(account, now()), ...rest };
      }),
    kick: ({ target, reason }, call) =>
      audit(call, "Kick", { target: nameOf(target), reason }, async () => {
        const { account, sessions } = await users.kick(nameOf(target), reason);
        return { account: account.name, sessions };
      }),
    ban: ({ target, reason, duration }, call) => {
      const ban = { reason, durationMs: duration && durationMs(duration) };
      return audit(call, "Ban", { target: nameOf(target), ...ban }, async () => {
        const { account, sessions } = await users.ban(requireSession(call), nameOf(target), ban);
        return { user: describeUser(account, now()), sessions };
      });
    },
    unban: ({ target }, call) =>
      audit(call, "Unban", { target: nameOf(target) }, async () => ({
        user: describeUser(await users.unban(nameOf(target)), now()),
      })),
    announce: ({ text, zone }, call) =>
      audit(call, "Announce", { text, zone }, () => ({ heardBy: announce(text, zone) })),
    drain: ({ stopsIn, reason }, call) =>
      audit(call, "Drain", { stopsInMs: toMs(stopsIn), reason }, () => ({
        stopsAt: timestampFromMs(drain.begin(toMs(stopsIn), reason)),
      })),
    cancelDrain: (_, call) => audit(call, "CancelDrain", {}, () => ({ canceled: drain.cancel() })),
    async *backup(_, call) {
      const messages = backups.make(call.signal);
      try {
        // The first one tells whether it can be made at all.
        const first = await audit(call, "Backup", {}, () => messages.next());
        if (!first.done) yield first.value;
        yield* messages;
      } finally {
        await messages.return();
      }
    },
    async *recordZone({ zone }, call) {
      const recording = await audit(call, "RecordZone", { zone }, () => recordZone(zones, zone));
      yield* piecesOf(recording);
    },
  });
}

function toMs(duration: Duration | undefined): number {
  return duration ? durationMs(duration) : 0;
}
