/**
 * The CPU time that a function uses in this thread, in microseconds. Unlike a clock it stands still while somebody else
 * has the core.
 */
export function cpuMicrosOf(work: () => void): number {
  const before = threadCpuMicros();
  work();
  return threadCpuMicros() - before;
}

function threadCpuMicros(): number {
  // Linux keeps the books of a thread only every few milliseconds, unless the process is asked for its own just before.
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
