import type { Command } from "commander";
import {
  GetUserResponseSchema,
  ResetPasswordResponseSchema,
  SetRoleResponseSchema,
} from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { type User, UserSchema } from "../../../gen/ts/realmwire/v1/user_pb.ts";
import type { Connection } from "../connection.ts";
import { UsageError } from "../errors.ts";
import { confirm } from "../io.ts";
import { asAdmin } from "../session.ts";
import { tableLines } from "../table.ts";
import { CHARACTER_OPTION, targetOf, type TargetOptions } from "../target.ts";
import { type AddAction, jsonOf, type Tool } from "../tool.ts";
import { describeBan, describeTime, roleName, userRow } from "../user-lines.ts";

const ROLES: ReadonlyMap<string, Role> = new Map([
  ["player", Role.PLAYER],
  ["builder", Role.BUILDER],
  ["admin", Role.ADMIN],
]);
/** Users that are printed unless it is said otherwise. */
const DEFAULT_LIMIT = 100;
/** Users that one call brings at most. */
const PAGE_SIZE = 500;

interface ListOptions {
  readonly prefix?: string;
  readonly role?: string;
  readonly banned?: boolean;
  readonly limit: string;
}

/** Adds what is done with accounts and their roles. */
export function addUsers(program: Command, add: AddAction): void {
  const users = program
    .command("users")
    .description("list accounts, show one, change its role or password");
  add(
    users
      .command("list", { isDefault: true })
      .description("list accounts by name")
      .option("--prefix <letters>", "only those whose name begins so")
      .option("--role <role>", "only players, builders or admins: player, builder, admin")
      .option("--banned", "only those that are banned now")
      .option("--limit <number>", "how many at most", `${DEFAULT_LIMIT}`),
    listUsers,
  );
  add(
    users
      .command("show <name>")
      .description("show an account with its characters")
      .option(...CHARACTER_OPTION),
    showUser,
  );
  add(
    users
      .command("role <name> <role>")
      .description("make an account a player, a builder or an admin"),
    setRole,
  );
  add(
    users
      .command("reset-password <name>")
      .description(
        "give an account a new password, which is printed this once, and end its sessions",
      )
      .option(...CHARACTER_OPTION),
    resetPassword,
  );
}

async function listUsers(tool: Tool, _args: string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError("--limit is a whole number from 1");
  const found = await asAdmin(tool, tool.settings, (connection) =>
    collectUsers(connection, options, limit + 1),
  );
  const shown = found.slice(0, limit);
  const lines = tableLines(["NAME", "ROLE", "SINCE", "EMAIL", "BAN"], shown.map(userRow));
  if (found.length > limit) lines.push(`… and more: --limit ${limit * 10}, or --prefix`);
  tool.print(
    lines,
    shown.map((user) => jsonOf(UserSchema, user)),
  );
}

async function collectUsers(
  { admin }: Connection,
  { prefix = "", role, banned = false }: ListOptions,
  limit: number,
): Promise<User[]> {
  const filter = { prefix, banned, role: role === undefined ? Role.UNSPECIFIED : parseRole(role) };
  const found: User[] = [];
  let pageToken = "";
  do {
    const pageSize = Math.min(PAGE_SIZE, limit - found.length);
    const page = await admin.listUsers({ ...filter, pageSize, pageToken });
    found.push(...page.users);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && found.length < limit);
  return found;
}

async function showUser(tool: Tool, [name = ""]: string[], options: TargetOptions): Promise<void> {
  const found = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.getUser({ target: targetOf(name, options) }),
  );
  const { account, ban } = found.user ?? {};
  const characters = found.characters.map((character) => [
    character.name,
    character.zone,
    character.online === OnlineStatus.ONLINE ? "online" : "",
  ]);
  tool.print(
    [
      ...tableLines(
        ["account", account?.name ?? ""],
        [
          ["role", roleName(account?.role)],
          ["since", describeTime(account?.createdAt)],
          ["email", account?.email ?? ""],
          ["sessions", String(found.sessions)],
          ["ban", describeBan(ban) && `${describeBan(ban)} (by ${ban?.by})`],
        ],
      ),
      "",
      ...tableLines(["CHARACTER", "ZONE", ""], characters),
    ],
    jsonOf(GetUserResponseSchema, found),
  );
}

async function setRole(tool: Tool, [name = "", role = ""]: string[]): Promise<void> {
  const wanted = parseRole(role);
  if (wanted === Role.ADMIN) {
    await confirm(tool, tool.settings.yes, `Make ${name} an admin, who may do everything?`);
  }
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.setRole({ account: name, role: wanted }),
  );
  tool.print([`${name} is ${describeRole(role)} now`], jsonOf(SetRoleResponseSchema, answer));
}

async function resetPassword(
  tool: Tool,
  [name = ""]: string[],
  options: TargetOptions,
): Promise<void> {
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.resetPassword({ target: targetOf(name, options) }),
  );
  const account = answer.user?.account?.name ?? name;
  tool.print(
    [`${account} has a new password, shown this once: ${answer.password}`],
    jsonOf(ResetPasswordResponseSchema, answer),
  );
}

function describeRole(role: string): string {
  return `${role === "admin" ? "an" : "a"} ${role}`;
}

function parseRole(text: string): Role {
  const role = ROLES.get(text);
  if (role === undefined) throw new UsageError(`"${text}" is no role: player, builder or admin`);
  return role;
}
