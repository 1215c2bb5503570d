import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "../support/node-flags.ts";

/** A process of its own that does something with a data folder. */
export interface Child {
  readonly pid: number;
  /** Resolves to what it prints next; undefined when it has ended. */
  nextLine(): Promise<string | undefined>;
  /** Ends it as the operating system would: at once, with nothing cleaned up. Resolves to the lines not read yet. */
  kill(): Promise<string[]>;
}

/** Runs a module of this folder with arguments. */
export function startChild(module: string, args: readonly string[]): Child {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const child: ChildProcessByStdio<null, Readable, null> = spawn(
    process.execPath,
    [...NODE_FLAGS, path, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { done, value } = await lines.next();
    return done ? undefined : value;
  };
  return {
    pid: child.pid ?? 0,
    nextLine,
    async kill() {
      child.kill("SIGKILL");
      await exited;
      const rest: string[] = [];
      for (let line = await nextLine(); line !== undefined; line = await nextLine())
        rest.push(line);
      return rest;
    },
  };
}
