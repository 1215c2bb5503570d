/** Where a thread says that it is ready for zones. */
export function readySubject(thread: string): string {
  return `thread.${thread}.ready`;
}

/** Where a thread is asked whether it still lives. */
export function pingSubject(thread: string): string {
  return `thread.${thread}.ping`;
}

/** Where a thread is told to end. */
export function closeSubject(thread: string): string {
  return `thread.${thread}.close`;
}

/** Where the lines of a thread's log go. */
export function logSubject(thread: string): string {
  return `thread.${thread}.log`;
}

/** What a thread is started with. */
export interface ZoneThreadData {
  /** Its name on the bus. */
  readonly thread: string;
  /** The folder of the game. */
  readonly game: string;
  /** Shared memory for the times of ticks; undefined: nobody wants to know. */
  readonly tickTimes: SharedArrayBuffer | undefined;
}
