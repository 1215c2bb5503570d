import { Writable } from "node:stream";
import { pino } from "pino";

/** What of the log is kept, in bytes, while it cannot be written; what comes beyond is lost. */
export const MAX_WAITING_LOG_BYTES = 1024 * 1024;

/**
 * Where the log goes: a file descriptor, 1 by default, which is written to at once. A log that cannot be written, to a full disk or
 * a pipe that nobody reads, must not end the server: what can be kept is written when it goes again.
 */
export function createLogDestination(dest = 1): Writable {
  const file = pino.destination({ dest, sync: true, maxLength: MAX_WAITING_LOG_BYTES });
  // Without a listener an error would be thrown where something was logged.
  file.on("error", () => {});
  return new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _encoding, done) {
      file.write(text.toString());
      done();
    },
  });
}
