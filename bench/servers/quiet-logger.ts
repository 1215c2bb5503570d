import type { Logger } from "../../server/logger.ts";

/** A logger that says only what went wrong, for the servers of the benchmark. */
export function createQuietLogger(): Logger {
  const trouble = (fields: object, message: string) =>
    void process.stderr.write(`realmwire: ${message} ${JSON.stringify(fields)}\n`);
  return { debug: () => {}, info: () => {}, warn: trouble, error: trouble };
}
