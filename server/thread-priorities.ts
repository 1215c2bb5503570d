import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { basename } from "node:path";

/**
 * How much threads give way that no tick waits for (`nice`): on a core that they share with the ticks these get nine tenths of it, and wherever a core is idle nothing changes.
 * Four threads that mark garbage left the ticks a fifth of one core, for a tenth of a second every few seconds.
 */
export const BACKGROUND_NICENESS = 10;
/** Threads of Node that collect garbage and compile, and those that hash passwords and read files. */
const BACKGROUND_THREADS = new Set(["V8Worker", "libuv-worker"]);
const TASKS = "/proc/self/task";

/** Makes Node's own threads give way to the ticks. To be called once all of them run. Does nothing where the system is not Linux. */
export function lowerBackgroundThreads(): void {
  try {
    for (const task of readdirSync(TASKS)) {
      const name = readFileSync(`${TASKS}/${task}/comm`, "utf8").trim();
      if (BACKGROUND_THREADS.has(name)) setPriority(Number(task), BACKGROUND_NICENESS);
    }
  } catch {
    // A thread that ended meanwhile, another system, or one that does not allow it: it is an advantage, no condition.
  }
}

/** Makes the calling thread give way to the ticks. */
export function lowerThisThread(): void {
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), BACKGROUND_NICENESS);
  } catch {
    // As above.
  }
}
