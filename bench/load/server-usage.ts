import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { HEAP_FILE } from "../servers/child.ts";

/** Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux. */
const TICKS_PER_S = 100;
const BYTES_PER_KB = 1024;

/** CPU time that a process has used, in microseconds. */
export interface CpuTime {
  readonly total: number;
  /** By its main thread alone. */
  readonly main: number;
  /** How long the main thread was ready to run and had no core; NaN where the kernel does not keep it. */
  readonly mainWaited: number;
}

/** Reads the CPU time of all threads of a process: to the nanosecond where the kernel keeps it, else to its ticks. */
export function readCpuTime(pid: number): CpuTime {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    let total = 0;
    let main = 0;
    let mainWaited = Number.NaN;
    for (const thread of threads) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1");
      const [onCpu, waited] = text.split(" ");
      total += Number(onCpu) / 1000;
      if (thread !== String(pid)) continue;
      main = Number(onCpu) / 1000;
      mainWaited = Number(waited) / 1000;
    }
    if (total > 0) return { total, main, mainWaited };
  } catch {
    // A kernel without these statistics, or a thread that ended just now.
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const micros = ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_S;
  return { total: micros, main: micros, mainWaited: Number.NaN };
}

/** Memory, in bytes. */
export interface Memory {
  /** What the system counts. */
  readonly resident: number;
  /** What the heap of the main thread holds, with what it holds outside of it. */
  readonly heap: number;
}

/** The memory of a process that has just written down its heap. */
export function readMemory(pid: number, dataDir: string): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const resident = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * BYTES_PER_KB;
  const text = readFileSync(join(dataDir, HEAP_FILE), "utf8");
  const { heapUsed, external } = JSON.parse(text) as NodeJS.MemoryUsage;
  return { resident, heap: heapUsed + external };
}
