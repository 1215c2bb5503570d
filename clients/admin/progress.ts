import type { Io } from "./io.ts";

/** How often the line is written at a terminal, in milliseconds. */
const REFRESH_MS = 200;

/** A line at the terminal that says how far something is. Where there is no terminal it says nothing. */
export interface Progress {
  set(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** Begins a line. */
export function startProgress({ stderr }: Pick<Io, "stderr">): Progress {
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = (text: string) => stderr.write(`\r\u001B[K${text}`);
  return {
    set(text) {
      if (!stderr.isTTY || performance.now() - writtenAt < REFRESH_MS) return;
      writtenAt = performance.now();
      write(text);
    },
    end() {
      if (stderr.isTTY) write("");
    },
  };
}

/** Bytes for people, such as `12.3 MB`. */
export function describeBytes(bytes: bigint | number): string {
  const count = Number(bytes);
  if (count < 1_000) return `${count} bytes`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}
