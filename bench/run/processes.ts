import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";

/** How long a process gets to stop by itself. */
const STOP_MS = 5_000;

/** Whether servers and generator have a core each. */
export type Pinning =
  | { readonly kind: "pinned"; readonly serverCore: number; readonly loadCore: number }
  | { readonly kind: "free"; readonly why: string };

/** Looks whether processes can be pinned here. */
export function findPinning(): Pinning {
  if (availableParallelism() < 2) return { kind: "free", why: "there is only one core" };
  const works = spawnSync("taskset", ["-c", "0,1", "true"], { stdio: "ignore" }).status === 0;
  if (!works) return { kind: "free", why: "`taskset` is not there" };
  return { kind: "pinned", serverCore: 0, loadCore: 1 };
}

/** A child that exchanges messages with this process. */
export interface Child {
  readonly pid: number;
  /** The next message that it sends. Rejects when it ends before, or takes longer. */
  next<T>(timeoutMs: number): Promise<T>;
  send(message: object): void;
  /** Stops it and waits for its end. */
  stop(): Promise<void>;
}

/** Starts children and, whatever happens, ends those that it started and no others. */
export interface Processes {
  start(options: {
    /** Which core it gets; `any` is not pinned. */
    readonly role: "server" | "load" | "any";
    readonly file: string;
    readonly nodeFlags?: readonly string[];
    readonly argument?: string;
  }): Child;
  /** Ends all that still run, at once. */
  killAll(): void;
}

/** No children yet. */
export function createProcesses(pinning: Pinning): Processes {
  const running = new Set<ChildProcess>();
  return {
    start({ role, file, nodeFlags = [], argument }) {
      const node = [process.execPath, ...nodeFlags, file, ...(argument ? [argument] : [])];
      const core = pinning.kind === "free" || role === "any" ? undefined : pinning[`${role}Core`];
      const [command = "", ...args] =
        core === undefined ? node : ["taskset", "-c", String(core), ...node];
      const child = spawn(command, args, {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        env: { ...process.env, NODE_ENV: "production" },
        serialization: "advanced",
      });
      running.add(child);
      child.on("exit", () => running.delete(child));
      return createChild(child, file);
    },
    killAll() {
      for (const child of running) child.kill("SIGKILL");
    },
  };
}

/** What a child that failed wrote is told in part. */
const MAX_ERROR_CHARACTERS = 2_000;

function createChild(child: ChildProcess, file: string): Child {
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-MAX_ERROR_CHARACTERS);
  });
  // A message to a child that has just ended is no news: its exit is.
  child.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  return {
    pid: child.pid ?? 0,
    next: <T>(timeoutMs: number) =>
      new Promise<T>((resolve, reject) => {
        const forget = () => {
          clearTimeout(timer);
          child.off("message", onMessage);
          child.off("exit", onExit);
        };
        const timer = setTimeout(() => {
          forget();
          reject(new Error(`${file} said nothing for ${timeoutMs / 1000} s. ${errors}`));
        }, timeoutMs);
        const onMessage = (message: unknown) => {
          forget();
          resolve(message as T);
        };
        const onExit = (code: number | null, signal: string | null) => {
          forget();
          reject(new Error(`${file} ended (${signal ?? code}). ${errors}`));
        };
        child.on("message", onMessage);
        child.on("exit", onExit);
      }),
    send: (message) => void child.send(message),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(timer);
    },
  };
}
