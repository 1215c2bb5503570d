import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";

/** How often sessions that ran out are deleted, in milliseconds. */
const CLEANUP_INTERVAL_MS = 3_600_000;

/** Deletes sessions that ran out. */
export interface SessionCleanup {
  /** Deletes them now and every hour. A failure is logged, and made good the next time. */
  start(): Promise<void>;
  /** Waits for what is being deleted. */
  close(): Promise<void>;
}

/** Creates the deleting of sessions that ran out. */
export function createSessionCleanup(options: {
  readonly store: Pick<Store, "deleteExpiredSessions">;
  readonly now: () => number;
  readonly logger: Logger;
}): SessionCleanup {
  const { store, now, logger } = options;
  let timer: ReturnType<typeof setInterval> | undefined;
  let running: Promise<void> = Promise.resolve();

  async function deleteExpired(): Promise<void> {
    try {
      const deleted = await store.deleteExpiredSessions(now());
      logger.debug({ deleted }, "sessions that ran out are deleted");
    } catch (error) {
      logger.warn({ err: error }, "sessions that ran out were not deleted");
    }
  }

  return {
    async start() {
      await deleteExpired();
      timer = setInterval(() => {
        running = deleteExpired();
      }, CLEANUP_INTERVAL_MS).unref();
    },
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
