import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import {
  BanResponseSchema,
  KickResponseSchema,
  UnbanResponseSchema,
} from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { describeDuration, parseDuration } from "../duration.ts";
import { confirm } from "../io.ts";
import { asAdmin } from "../session.ts";
import { CHARACTER_OPTION, targetOf, type TargetOptions } from "../target.ts";
import { type AddAction, jsonOf, type Tool } from "../tool.ts";
import { describeBan } from "../user-lines.ts";

interface KickOptions extends TargetOptions {
  readonly reason?: string;
}

interface BanOptions extends TargetOptions {
  readonly reason: string;
  readonly for?: string;
}

/** Adds what ends sessions and keeps people out. */
export function addBans(program: Command, add: AddAction): void {
  add(
    program
      .command("kick <name>")
      .description("end an account's sessions, or with --character the one that plays it")
      .option("--reason <text>", "why, as the player is told")
      .option(...CHARACTER_OPTION),
    kick,
  );
  add(
    program
      .command("ban <name>")
      .description("keep an account out and end its sessions")
      .requiredOption("--reason <text>", "why, as the banned are told")
      .option("--for <time>", "how long, such as 30m, 7d or 2w; default: for good")
      .option(...CHARACTER_OPTION),
    ban,
  );
  add(
    program
      .command("unban <name>")
      .description("end a ban before its time")
      .option(...CHARACTER_OPTION),
    unban,
  );
}

async function kick(tool: Tool, [name = ""]: string[], options: KickOptions): Promise<void> {
  const { reason = "" } = options;
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.kick({ target: targetOf(name, options), reason }),
  );
  const { account, sessions } = answer;
  tool.print([`${account}: ${describeEnded(sessions)}`], jsonOf(KickResponseSchema, answer));
}

async function ban(tool: Tool, [name = ""]: string[], options: BanOptions): Promise<void> {
  const { reason } = options;
  const ms = options.for === undefined ? undefined : parseDuration(options.for);
  const howLong = ms === undefined ? "for good" : `for ${describeDuration(ms)}`;
  await confirm(tool, tool.settings.yes, `Ban ${name} ${howLong}?`);
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.ban({
      target: targetOf(name, options),
      reason,
      ...(ms !== undefined && { duration: durationFromMs(ms) }),
    }),
  );
  const { user, sessions } = answer;
  tool.print(
    [`${user?.account?.name} is ${describeBan(user?.ban)}; ${describeEnded(sessions)}`],
    jsonOf(BanResponseSchema, answer),
  );
}

async function unban(tool: Tool, [name = ""]: string[], options: TargetOptions): Promise<void> {
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.unban({ target: targetOf(name, options) }),
  );
  tool.print([`${answer.user?.account?.name} may log in`], jsonOf(UnbanResponseSchema, answer));
}

function describeEnded(sessions: number): string {
  if (sessions === 0) return "no session was open";
  return sessions === 1 ? "one session ended" : `${sessions} sessions ended`;
}
