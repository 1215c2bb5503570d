import { writeSync } from "node:fs";
import { Writable } from "node:stream";

/** What of the log is kept, in bytes, while it cannot be written; what comes beyond is lost. */
export const MAX_WAITING_LOG_BYTES = 1024 * 1024;

/** How long it takes until what waits is tried again, in milliseconds, should nothing else be logged. */
const RETRY_MS = 100;

/**
 * Where the log goes: a file descriptor, 1 by default, which is written to at once. A log that cannot be written, to a full disk or
 * a pipe that nobody reads, neither ends the server nor holds it up, as pino's own destination does: what can be kept is written when it goes again.
 */
export function createLogDestination(descriptor = 1): Writable {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function put(line: Uint8Array): void {
    if (waitingBytes + line.length > MAX_WAITING_LOG_BYTES) return;
    waiting.push(line);
    waitingBytes += line.length;
  }

  function flush(): void {
    timer = undefined;
    try {
      for (let [line] = waiting; line; [line] = waiting) {
        const written = writeSync(descriptor, line);
        waitingBytes -= written;
        if (written === line.length) waiting.shift();
        else waiting[0] = line.subarray(written);
      }
    } catch {
      // Where should that be told?
      timer = setTimeout(flush, RETRY_MS).unref();
    }
  }

  return new Writable({
    write(line: Buffer, _encoding, done) {
      put(line);
      clearTimeout(timer);
      flush();
      done();
    },
  });
}
