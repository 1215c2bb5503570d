import type { Command } from "../command.ts";
import { attributeCommands } from "./attributes.ts";
import { buildCommands } from "./build.ts";
import { createHelp } from "./help.ts";
import { lookCommands } from "./look.ts";
import { serverCommands } from "./server.ts";
import { sessionCommands } from "./session.ts";
import { talkCommands } from "./talk.ts";
import { walkCommands } from "./walk.ts";

/** All commands, in the order in which help lists them. */
export function createCommands(): readonly Command[] {
  const commands: Command[] = [
    ...sessionCommands,
    ...lookCommands,
    ...walkCommands,
    ...talkCommands,
    ...attributeCommands,
    ...buildCommands,
    ...serverCommands,
  ];
  commands.push(...createHelp(commands));
  return commands;
}

/** The command of this name or alias. */
export function findCommand(commands: readonly Command[], name: string): Command | undefined {
  const wanted = name.toLowerCase();
  return commands.find((command) => command.name === wanted || command.aliases?.includes(wanted));
}
