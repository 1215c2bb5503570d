import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { callbackify } from "node:util";
import { ESCAPE_MS } from "./keyboard.ts";
import { Interrupted } from "../errors.ts";
import type { Key, Keyboard } from "./keyboard.ts";

/** Lines that are remembered. */
const HISTORY_LINES = 500;
/** Lines typed or pasted ahead of the command that is running; further ones are dropped. */
const MAX_WAITING_LINES = 1_000;

/** Finds what may stand at the end of a line: the candidates, and the part that they replace. */
export type Completer = (line: string) => Promise<[candidates: string[], part: string]>;

/** Edits lines, with history and completion, and prints above the one that is being typed. */
export interface LineEditor {
  /** The next line; undefined at the end of the input. Rejects with {@link Interrupted} on Ctrl-C at an empty line. */
  read(prompt: string): Promise<string | undefined>;
  /** The next line, which is neither shown nor remembered. */
  readSecret(question: string): Promise<string | undefined>;
  /** The next line, which the caller shows; `onChange` is told of each change. Undefined: Escape was pressed. */
  readUnseen(begin: string, onChange: () => void): Promise<string | undefined>;
  /** What is typed so far. */
  readonly typed: { readonly text: string; readonly cursor: number };
  /** Prints lines above what is being typed. */
  print(lines: readonly string[]): void;
  close(): void;
}

type State =
  | { readonly kind: "idle" }
  | ({ readonly kind: "line"; readonly prompt: string } & Waiting)
  | ({ readonly kind: "secret"; readonly question: string } & Waiting)
  | ({ readonly kind: "unseen"; readonly onChange: () => void } & Waiting);

interface Waiting {
  readonly resolve: (line: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Creates an editor on Node's own. What lists candidates is told of them where they cannot be shown below the line. */
export function createLineEditor(options: {
  readonly keyboard: Keyboard;
  readonly output: NodeJS.WriteStream;
  readonly complete: Completer;
  readonly onCandidates: (candidates: readonly string[]) => void;
}): LineEditor {
  const { keyboard, output, complete, onCandidates } = options;
  let state: State = { kind: "idle" };
  let isClosed = false;
  const ahead: string[] = [];

  let isMuted = false;
  const shown = createShown(output, () => state.kind === "line" && !isMuted);
  const editor = createInterface({
    input: keyboard.lines,
    output: shown,
    terminal: true,
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    escapeCodeTimeout: ESCAPE_MS,
    completer: callbackify(async (line: string): Promise<[string[], string]> => {
      if (state.kind === "secret") return [[], line];
      const [candidates, part] = await complete(line).catch(() => [[], line] as const);
      if (state.kind === "unseen" && candidates.length > 1) onCandidates(candidates);
      return [[...candidates], part];
    }),
  });

  const settle = (): State => {
    const before = state;
    state = { kind: "idle" };
    return before;
  };
  const clear = (): void => {
    editor.write(null, { ctrl: true, name: "e" });
    editor.write(null, { ctrl: true, name: "u" });
  };

  editor.on("line", (line) => {
    const before = settle();
    if (before.kind === "idle") {
      if (ahead.length < MAX_WAITING_LINES) ahead.push(line);
      return;
    }
    if (before.kind === "secret") output.write("\n");
    before.resolve(line);
  });
  editor.on("history", (history) => {
    if (state.kind === "secret") history.shift();
  });
  editor.on("SIGINT", () => {
    if (editor.line !== "" && state.kind !== "secret") return clear();
    if (state.kind === "line" || state.kind === "secret") output.write("\n");
    const before = settle();
    if (before.kind === "idle") process.kill(process.pid, "SIGINT");
    else before.reject(new Interrupted("interrupted"));
  });
  // In raw mode the shell cannot take over in the middle of a screen.
  editor.on("SIGTSTP", () => undefined);
  editor.on("close", () => {
    isClosed = true;
    const before = settle();
    if (before.kind !== "idle") before.resolve(undefined);
  });
  keyboard.lines.on("keypress", (_text: string | undefined, key: Key) => {
    if (state.kind !== "unseen") return;
    if (key.name === "escape") {
      clear();
      const before = settle();
      if (before.kind !== "idle") before.resolve(undefined);
      return;
    }
    state.onChange();
  });

  const wait = (make: (waiting: Waiting) => State): Promise<string | undefined> => {
    if (isClosed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      state = make({ resolve, reject });
    });
  };

  return {
    read(prompt) {
      if (ahead.length > 0) return Promise.resolve(ahead.shift());
      const line = wait((waiting) => ({ kind: "line", prompt, ...waiting }));
      editor.setPrompt(prompt);
      if (!isClosed) editor.prompt();
      return line;
    },
    readSecret(question) {
      if (ahead.length > 0) return Promise.resolve(ahead.shift());
      output.write(question);
      return wait((waiting) => ({ kind: "secret", question, ...waiting }));
    },
    readUnseen(begin, onChange) {
      const line = wait((waiting) => ({ kind: "unseen", onChange, ...waiting }));
      editor.setPrompt("");
      if (!isClosed) editor.write(begin);
      return line;
    },
    get typed() {
      return { text: editor.line, cursor: editor.cursor };
    },
    print(lines) {
      const text = lines.map((line) => `${line}\r\n`).join("");
      switch (state.kind) {
        case "line": {
          // A paste leaves the editor in an old belief of how many rows its cursor is below the prompt. Drawing for nobody mends that.
          isMuted = true;
          editor.prompt(true);
          isMuted = false;
          // It goes up by that many to draw its line again, so it is put that many down.
          const { rows } = editor.getCursorPos();
          const up = rows > 0 ? `\u001B[${rows}A` : "";
          output.write(`${up}\r\u001B[J${text}${"\r\n".repeat(rows)}`);
          return editor.prompt(true);
        }
        case "secret":
          return void output.write(`\r\u001B[J${text}${state.question}`);
        default:
          return void output.write(text);
      }
    },
    close: () => editor.close(),
  };
}

/** What the editor writes to: the terminal while a line is to be seen, nowhere otherwise. */
function createShown(output: NodeJS.WriteStream, isSeen: () => boolean): Writable {
  const shown = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      if (isSeen()) output.write(chunk);
      done();
    },
  });
  Object.defineProperty(shown, "columns", { get: () => output.columns });
  output.on("resize", () => shown.emit("resize"));
  return shown;
}
