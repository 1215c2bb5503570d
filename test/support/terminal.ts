import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { root } from "./server.ts";

const execute = promisify(execFile);

/** A program in a real terminal, that of tmux. */
export interface Terminal {
  /** Types a text, letter by letter as it stands. */
  type(text: string): Promise<void>;
  /** Presses keys by the names that tmux gives them: `Enter`, `Up`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
  /** What is on the screen, row by row. */
  rows(): Promise<string[]>;
  /** The same with the escape sequences of its colours, in one text. */
  colored(): Promise<string>;
  /** Waits until the screen shows this; at most 30 seconds. */
  shows(wanted: string | RegExp): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Ends the program and its terminal. */
  dispose(): Promise<void>;
}

/** What a terminal is opened with. */
export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
  /** A line for the shell. */
  readonly command: string;
}

/** How long to wait for the screen to show something: a process has to start first. */
const WAIT = { timeout: 30_000, interval: 50 };

/** Opens a terminal in the project's folder. When the program ends, the terminal says `ended with` and its exit code. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const { columns, rows, env, command } = options;
  // A tmux server of its own, so that nobody's settings or sessions come in between.
  const folder = await mkdtemp(join(tmpdir(), "realmwire-tmux-"));
  const socket = join(folder, "socket");
  const tmux = async (...args: string[]): Promise<string> =>
    (await execute("tmux", ["-S", socket, "-f", "/dev/null", ...args])).stdout;
  const settings = Object.entries({ TERM: "tmux-256color", LC_ALL: "C.UTF-8", ...env });
  await tmux(
    ...["new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, "-c", root],
    ...[
      "env",
      "-i",
      `PATH=${process.env["PATH"]}`,
      ...settings.map(([key, value]) => `${key}=${value}`),
    ],
    ...["sh", "-c", `${command}; echo "ended with $?"; exec sleep 600`],
  );
  const screen = (): Promise<string> => tmux("capture-pane", "-p");
  return {
    type: async (text) => void (await tmux("send-keys", "-l", text)),
    press: async (...keys) => void (await tmux("send-keys", ...keys)),
    rows: async () => (await screen()).replace(/\n$/, "").split("\n"),
    colored: () => tmux("capture-pane", "-p", "-e"),
    async shows(wanted) {
      if (typeof wanted === "string") await expect.poll(screen, WAIT).toContain(wanted);
      else await expect.poll(screen, WAIT).toMatch(wanted);
    },
    resize: async (width, height) => {
      await tmux("resize-window", "-x", `${width}`, "-y", `${height}`);
    },
    async dispose() {
      await tmux("kill-server");
      await rm(folder, { recursive: true });
    },
  };
}
