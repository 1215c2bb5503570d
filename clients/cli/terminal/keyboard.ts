import { PassThrough } from "node:stream";
import { emitKeypressEvents } from "node:readline";
import type { Interface } from "node:readline";

/** A key as Node tells of it. */
export interface Key {
  /** `up`, `escape`, `a`; undefined for signs without a name. */
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
}

/** What is typed goes either to the line that is being edited, or key by key to who listens. */
export interface Keyboard {
  /** What the line editor reads. */
  readonly lines: NodeJS.ReadableStream;
  /** Sends what is typed from now on to a listener, until the function that comes back is called. */
  listen(onKey: (key: Key) => void): () => void;
  /** Takes the terminal over: keys come one by one, and are not shown. */
  start(): void;
  /** Gives the terminal back. Calling it twice does no harm. */
  close(): void;
}

/** After so many milliseconds an Escape is the key, and not the beginning of what an arrow key sends. */
export const ESCAPE_MS = 50;

/** Creates a keyboard on a terminal. */
export function createKeyboard(input: NodeJS.ReadStream): Keyboard {
  const lines = new PassThrough();
  const keys = new PassThrough();
  let onKey: ((key: Key) => void) | undefined;
  // Node wants an interface only to read this one number of it.
  const timeout: object = { escapeCodeTimeout: ESCAPE_MS };
  emitKeypressEvents(keys, timeout as Interface);
  keys.on("keypress", (_text: string | undefined, key: Key) => {
    if (onKey) onKey(key);
    // What came along with the key that ended the listening is for the line.
    else if (key.sequence !== undefined) lines.write(key.sequence);
  });
  const take = (chunk: Buffer): void => void (onKey ? keys : lines).write(chunk);
  const end = (): void => void lines.end();
  return {
    lines,
    listen(listener) {
      onKey = listener;
      return () => {
        if (onKey === listener) onKey = undefined;
      };
    },
    start() {
      input.setRawMode?.(true);
      input.on("data", take).on("end", end);
      input.resume();
    },
    close() {
      input.setRawMode?.(false);
      input.off("data", take).off("end", end);
      input.pause();
    },
  };
}
