import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import {
  AnnounceResponseSchema,
  CancelDrainResponseSchema,
  DrainResponseSchema,
} from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { describeDuration, parseDuration } from "../duration.ts";
import { confirm } from "../io.ts";
import { asAdmin } from "../session.ts";
import { type AddAction, jsonOf, type Tool } from "../tool.ts";

interface DrainOptions {
  readonly in: string;
  readonly reason?: string;
  readonly cancel?: true;
}

/** Adds what concerns everybody in the world. */
export function addWorld(program: Command, add: AddAction): void {
  add(
    program
      .command("announce <text...>")
      .description("say something to everybody in the world")
      .option("--zone <zone>", "only to those in this zone"),
    announce,
  );
  add(
    program
      .command("drain")
      .description("stop the server after a countdown, without letting new players in meanwhile")
      .option("--in <time>", "when, such as 30s, 5m or 1h; at most a day", "1m")
      .option("--reason <text>", "why, as the players are told")
      .option("--cancel", "take it back"),
    drain,
  );
}

async function announce(
  tool: Tool,
  words: string[],
  { zone = "" }: { readonly zone?: string },
): Promise<void> {
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.announce({ text: words.join(" "), zone }),
  );
  const { heardBy } = answer;
  tool.print(
    [heardBy === 1 ? "one character hears it" : `${heardBy} characters hear it`],
    jsonOf(AnnounceResponseSchema, answer),
  );
}

async function drain(tool: Tool, _args: string[], options: DrainOptions): Promise<void> {
  if (options.cancel) return await cancelDrain(tool);
  const ms = parseDuration(options.in);
  const { url, yes } = tool.settings;
  await confirm(tool, yes, `Stop ${url} in ${describeDuration(ms)}?`);
  const answer = await asAdmin(tool, tool.settings, ({ admin }) =>
    admin.drain({ stopsIn: durationFromMs(ms), reason: options.reason ?? "" }),
  );
  const at = answer.stopsAt ? new Date(timestampMs(answer.stopsAt)).toISOString() : "";
  tool.print(
    [`the server stops in ${describeDuration(ms)}, at ${at}; drain --cancel takes it back`],
    jsonOf(DrainResponseSchema, answer),
  );
}

async function cancelDrain(tool: Tool): Promise<void> {
  const answer = await asAdmin(tool, tool.settings, ({ admin }) => admin.cancelDrain({}));
  tool.print(
    [answer.canceled ? "the server goes on" : "the server was not about to stop"],
    jsonOf(CancelDrainResponseSchema, answer),
  );
}
