import type { Logger } from "../logger.ts";

/** The levels whose lines are counted: what somebody should look at. */
export const COUNTED_LEVELS = ["warn", "error"] as const;

/** Lines by their level. */
export type LineCounts = Record<(typeof COUNTED_LEVELS)[number], number>;

/** A logger that counts its warnings and errors, whether or not they are written. */
export function countLines(logger: Logger): {
  readonly logger: Logger;
  readonly lines: LineCounts;
} {
  const lines: LineCounts = { warn: 0, error: 0 };
  return {
    lines,
    logger: {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      warn(fields, message) {
        lines.warn++;
        logger.warn(fields, message);
      },
      error(fields, message) {
        lines.error++;
        logger.error(fields, message);
      },
    },
  };
}
