import type { Realmwire, World, WorldView } from "../ts/index.ts";
import type { Walks } from "./arrival.ts";
import type { GameTypes } from "./language/game-types.ts";
import type { Line } from "./terminal/line.ts";
import type { Surroundings } from "./map/surroundings.ts";
import type { Input } from "./language/words.ts";

/** What a command gives back: lines for people, data for programs. */
export interface Answer {
  readonly lines: readonly Line[];
  /** As `--json` prints it. */
  readonly data: unknown;
}

/** What commands work with. */
export interface Context {
  readonly client: Realmwire;
  readonly url: string;
  readonly types: GameTypes;
  readonly surroundings: Surroundings;
  /** The world that the prompt keeps open. Undefined in a script, and before the login. */
  readonly world: World | undefined;
  readonly walks: Walks;
  /** The terminal's size in columns and rows. */
  readonly size: { readonly columns: number; readonly rows: number };
  /** Asks the user for a password without showing it. In a script it comes from elsewhere. */
  askPassword(question: string): Promise<string>;
  /** Asks the user to type something. Undefined: nobody is there to ask. */
  ask(question: string): Promise<string | undefined>;
  /** Says something later, when the command is over. */
  tell(line: Line): void;
  /** The prompt's own doings. Undefined in a script. */
  readonly prompt: PromptControls | undefined;
}

/** What only a prompt can do. */
export interface PromptControls {
  /** Shows the live map until the user leaves it. */
  goLive(): Promise<void>;
  /** Opens the world for the session that has just begun. Rejects when it cannot be opened. */
  enter(): Promise<void>;
  /** Closes the world. */
  leave(): void;
  exit(): void;
}

/** A command, as the table has it. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** What follows the name: `<needed>`, `[optional]`. */
  readonly usage: string;
  readonly summary: string;
  /** More lines of help. */
  readonly details?: readonly string[];
  readonly examples: readonly string[];
  /** What there must be for it: `login` a session, `prompt` a session and a prompt. */
  readonly needs: "nothing" | "login" | "prompt";
  /** What may stand at the end of these words, the last of which is being typed. */
  readonly complete?: (
    context: Context,
    words: readonly string[],
  ) => readonly string[] | Promise<readonly string[]>;
  readonly run: (context: Context, input: Input) => Promise<Answer>;
}

/** What is in view: of the open world, or asked for now. The types of all components in it are known then. */
export async function viewOf(context: Context): Promise<WorldView> {
  const view = context.world?.view.scene ? context.world.view : await context.client.look();
  await context.types.learn(componentTypes(view));
  return view;
}

/** Names of what is in view, for completion; nothing where that would need a call. */
export function namesInView({ world }: Context): string[] {
  return [...(world?.view.entities.values() ?? [])].map(({ name }) => name).toSorted();
}

function componentTypes(view: WorldView): Set<string> {
  const types = new Set<string>();
  for (const { components } of view.entities.values()) {
    for (const type of components.keys()) types.add(type);
  }
  return types;
}
