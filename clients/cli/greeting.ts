import type { Context } from "./command.ts";
import { explainError } from "./errors.ts";
import { line, span } from "./terminal/line.ts";
import type { Line } from "./terminal/line.ts";
import { hintLine } from "./language/messages.ts";

/** What is said first: whose prompt this is, and what to do. A server that does not answer is no reason not to open it. */
export async function greet(
  { client, url }: Context,
  takeUp: () => Promise<void>,
): Promise<Line[]> {
  const help = hintLine("`help` lists the commands, Tab completes, Ctrl-D leaves.");
  try {
    const { game, server } = await client.version();
    const lines: Line[] = [
      [span(game, { bold: true }), span(` at ${url}, Realmwire ${server}`)],
      help,
    ];
    await takeUp();
    const { session } = client;
    if (!session) lines.push(line("`login <name>` logs in, `register <name>` makes an account."));
    else if (session.character === "")
      lines.push(line("`characters new <name>` makes one to play."));
    else
      lines.push(
        line(`Welcome back, ${session.character}. \`look\` draws the map, \`live\` shows it live.`),
      );
    return lines;
  } catch (error) {
    return [...explainError(error, url), help];
  }
}
