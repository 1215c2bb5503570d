/**
 * The CPU time that a function uses in this thread, in microseconds. Unlike a clock it stands still while somebody else
 * has the core.
 */
export function cpuMicrosOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}
