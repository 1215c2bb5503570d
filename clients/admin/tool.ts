import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { printable } from "../cli/terminal/printable.ts";
import { readSettings, type Settings } from "./settings.ts";

/** What a command has at hand. */
export interface Tool extends Io {
  readonly settings: Settings;
  /** Prints the answer: as lines for people, or with `--json` as data. */
  print(lines: readonly string[], data: unknown): void;
}

/** What a command answers with. */
type Action<Options> = (tool: Tool, args: string[], options: Options) => Promise<void>;

/** What commands are added with. */
export type AddAction = <Options extends object>(command: Command, action: Action<Options>) => void;

/** Creates what turns functions into commander's actions. */
export function createAddAction(io: Io): AddAction {
  return (command, action) =>
    command.action(async (...given: unknown[]) => {
      const settings = readSettings(command);
      const print: Tool["print"] = (lines, data) => {
        const text = settings.json
          ? `${JSON.stringify(data, undefined, 2)}\n`
          : lines.map((line) => `${printable(line)}\n`).join("");
        io.stdout.write(text);
      };
      // Commander gives the arguments, then the options, then the command.
      const args = given.slice(0, -2).flat().map(String);
      await action({ ...io, settings, print }, args, command.opts());
    });
}

/** A message as `--json` prints it. */
export function jsonOf<D extends DescMessage>(schema: D, message: MessageShape<D>): unknown {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}
