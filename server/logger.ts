import { inspect } from "node:util";

/** Where a part of the server writes its log. A pino logger is one. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Errors and warnings to standard error, nothing else: what is used where no logger is given, so that no failure is lost. */
export const plainLogger: Logger = {
  debug() {},
  info() {},
  warn: writeLine,
  error: writeLine,
};

function writeLine(fields: object, message: string): void {
  process.stderr.write(`${message} ${inspect(fields)}\n`);
}
