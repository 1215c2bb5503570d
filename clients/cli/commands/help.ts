import type { Answer, Command } from "../command.ts";
import { UsageError } from "../errors.ts";
import { line, span, wrapLine } from "../terminal/line.ts";
import type { Line } from "../terminal/line.ts";
import { suggest } from "../language/suggest.ts";

/** Help, about these commands and about what it is pushed into, and the way out. */
export function createHelp(commands: readonly Command[]): readonly Command[] {
  const names = (): string[] => commands.map(({ name }) => name);
  return [
    {
      name: "help",
      aliases: ["?"],
      usage: "[command]",
      summary: "list the commands, or explain one",
      examples: ["help", "help walk"],
      needs: "nothing",
      complete: (_, words) => (words.length === 1 ? names() : []),
      run: async ({ size }, { words }) => {
        const [wanted] = words;
        if (wanted !== undefined) return explain(commands, wanted);
        return listCommands(commands, size.columns);
      },
    },
    {
      name: "exit",
      aliases: ["quit", "q"],
      usage: "",
      summary: "leave; the session stays, so that you need not log in again",
      examples: ["exit"],
      needs: "nothing",
      async run({ prompt }) {
        prompt?.exit();
        return { lines: [], data: {} };
      },
    },
  ];
}

function listCommands(commands: readonly Command[], columns: number): Answer {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return {
    lines: [
      ...commands.flatMap(({ name, summary }) =>
        wrapLine(
          [span(`  ${name.padEnd(width)}  `, { bold: true }), span(summary)],
          columns,
          width + 4,
        ),
      ),
      line(""),
      line("`help <command>` explains one, with examples. Tab completes commands and names."),
    ],
    data: commands.map(({ name, usage, summary }) => ({ name, usage, summary })),
  };
}

function explain(commands: readonly Command[], wanted: string): Answer {
  const name = wanted.toLowerCase();
  const command = commands.find((one) => one.name === name || one.aliases?.includes(name));
  if (!command) throw new UsageError(unknownCommand(wanted, commands));
  const { aliases = [], usage, summary, details = [], examples } = command;
  const lines: Line[] = [
    [span(`${command.name} ${usage}`.trim(), { bold: true })],
    line(`  ${summary}`),
    ...details.map((text) => line(`  ${text}`)),
  ];
  if (aliases.length > 0) lines.push(line(`  Also: ${aliases.join(", ")}`));
  lines.push(line("  Examples:"), ...examples.map((example) => line(`    ${example}`)));
  return { lines, data: { name: command.name, usage, summary, details, aliases, examples } };
}

/** What to say about a command that there is not. */
export function unknownCommand(typed: string, commands: readonly Command[]): string {
  const names = commands.flatMap(({ name, aliases = [] }) => [
    name,
    ...aliases.filter((alias) => alias.length > 2),
  ]);
  const meant = suggest(typed, names);
  const hint = meant.length > 0 ? `did you mean ${meant.join(" or ")}?` : "`help` lists them all.";
  return `There is no command "${typed}": ${hint}`;
}
