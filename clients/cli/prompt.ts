import { createWalks } from "./arrival.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Context, PromptControls } from "./command.ts";
import { createCommands, findCommand } from "./commands/table.ts";
import { joinColumns } from "./terminal/columns.ts";
import { createCompleter } from "./language/completion.ts";
import type { Connection } from "./connection.ts";
import { EXIT, explainError, Interrupted, isUnreachable } from "./errors.ts";
import { createGameTypes } from "./language/game-types.ts";
import { greet } from "./greeting.ts";
import { createKeyboard } from "./terminal/keyboard.ts";
import { sizeOf } from "./terminal/layout.ts";
import { createLineEditor } from "./terminal/line-editor.ts";
import { line, renderLine, span, wrapLine } from "./terminal/line.ts";
import type { Line } from "./terminal/line.ts";
import { createLive } from "./live.ts";
import type { Live } from "./live.ts";
import { createMessagePane } from "./terminal/message-pane.ts";
import { hintLine, noticeLine, TIME_COLUMNS } from "./language/messages.ts";
import { explainFailure, runCommand } from "./one-shot.ts";
import { COLORS } from "./terminal/paint.ts";
import type { Paint } from "./terminal/paint.ts";
import { createPlay } from "./play.ts";
import { createSurroundings } from "./map/surroundings.ts";
import { readTyped } from "./language/words.ts";

/** Columns by which an answer goes on where it does not fit into one line. */
const ANSWER_INDENT = 4;

/** What a prompt is made with. */
export interface PromptOptions extends Pick<Arguments, "url"> {
  readonly connection: Connection;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly paint: Paint;
}

/** Reads commands in a terminal until the user leaves. What comes back is the exit code. */
export async function runPrompt(options: PromptOptions): Promise<number> {
  const { url, connection, stdin, stdout, paint } = options;
  const { client } = connection;
  const commands = createCommands();
  const surroundings = createSurroundings(client);
  const pane = createMessagePane();
  const keyboard = createKeyboard(stdin);
  let live: Live | undefined;
  let isOver = false;

  const print = (lines: readonly Line[], indent: number): void => {
    const wrapped = lines.flatMap((one) => wrapLine(one, sizeOf(stdout).columns, indent));
    editor.print(wrapped.map((one) => renderLine(one, paint)));
  };
  const show = (lines: readonly Line[], indent = ANSWER_INDENT): void => {
    if (!live) return print(lines, indent);
    pane.add(lines);
    live.change();
  };
  const tell = (one: Line): void => {
    // Also for the live map, should it be opened later.
    if (!live) pane.add([one]);
    show([one], TIME_COLUMNS);
  };

  const play = createPlay({
    client,
    surroundings,
    tell,
    onLost(error) {
      show(explainError(error, url));
      if (isUnreachable(error)) show([hintLine("  The next command tries again.")]);
    },
    now: () => new Date(),
  });

  /** Takes up the session that was kept, and the world, as far as they are not there. */
  const takeUp = async (): Promise<void> => {
    if (!client.session) await client.resume();
    if (client.session?.character && !play.world) await play.enter();
  };

  const controls: PromptControls = {
    async goLive() {
      const { world } = play;
      if (!world) throw new Error("You are not in the world.");
      if (live) return;
      const seen = pane.count;
      live = createLive({
        ...{ client, world, surroundings, keyboard, editor, paint, run },
        output: stdout,
        messages: pane,
      });
      try {
        await live.show();
      } finally {
        live = undefined;
        // What was heard meanwhile was on a screen that is gone.
        print(pane.since(seen), TIME_COLUMNS);
      }
    },
    enter: play.enter,
    leave: play.leave,
    exit() {
      isOver = true;
      live?.leave();
    },
  };

  const askAtPrompt = async (ask: () => Promise<string | undefined>): Promise<string> => {
    if (live) throw new Error("This asks something: leave the live map first, with Esc.");
    const answer = await ask().catch((error: unknown) => {
      if (error instanceof Interrupted) return undefined;
      throw error;
    });
    if (answer === undefined) throw new Error("Cancelled.");
    return answer;
  };

  const context: Context = {
    client,
    url,
    types: createGameTypes(client.transport),
    surroundings,
    walks: createWalks(),
    get world() {
      return play.world;
    },
    get size() {
      return sizeOf(stdout);
    },
    askPassword: (question) => askAtPrompt(() => editor.readSecret(question)),
    ask: (question) => askAtPrompt(() => editor.read(question)),
    tell,
    prompt: controls,
  };
  const editor = createLineEditor({
    keyboard,
    output: stdout,
    complete: createCompleter(commands, context),
    onCandidates: (candidates) =>
      show(
        joinColumns(
          candidates.map((one) => line(one)),
          sizeOf(stdout).columns,
        ),
      ),
  });

  const prepare = async (command: Command | undefined): Promise<void> => {
    if (command === undefined || command.needs === "nothing") return;
    const wasOut = client.session !== undefined && !play.world;
    // Where the world cannot be opened, the command says why.
    await takeUp().catch(() => undefined);
    if (wasOut && play.world) tell(noticeLine("you are in the world again", new Date()));
  };

  /** Runs what was typed, and shows what came of it. Rejects on Ctrl-C on the live map only. */
  async function run(typed: string): Promise<void> {
    const input = readTyped(typed);
    const [name] = input.words;
    if (name === undefined) return;
    try {
      await prepare(findCommand(commands, name));
      show((await runCommand(commands, context, input)).lines);
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      show(explainFailure(error, commands, input, url));
    }
  }

  const readPrompt = (): string => {
    const { character = "" } = client.session ?? {};
    const parts = [span(character, { bold: true, color: COLORS.cyan }), span("> ")];
    return renderLine(parts, paint);
  };

  const terminate = (signal: NodeJS.Signals): void =>
    process.exit(signal === "SIGHUP" ? EXIT.hungUp : EXIT.terminated);
  process.once("SIGTERM", terminate).once("SIGHUP", terminate);
  keyboard.start();
  try {
    show(await greet(context, takeUp));
    while (!isOver) {
      const typed = await editor.read(readPrompt());
      if (typed === undefined) {
        stdout.write("\n");
        break;
      }
      await run(typed);
    }
    return EXIT.done;
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.interrupted;
    throw error;
  } finally {
    process.off("SIGTERM", terminate).off("SIGHUP", terminate);
    play.leave();
    editor.close();
    keyboard.close();
  }
}
