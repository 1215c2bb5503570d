import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import { tokenHashOf } from "./tokens.ts";

/** How long no session is extended after it failed, in milliseconds: the store is probably away. */
const RETRY_MS = 10_000;
/** Extensions that are written at once. Beyond, a session is extended at one of its next calls. */
const MAX_RUNNING = 100;

/** Prolongs sessions that are used, without making their calls wait. */
export interface SessionExtensions {
  /** Prolongs a session if less than half of its life is left. */
  consider(key: string, expiresAtMs: number): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/** Creates the prolonging of sessions. `onExtended` is called with the key and the new end, once the store has it. */
export function createSessionExtensions(options: {
  readonly store: Pick<Store, "extendSession">;
  readonly sessionTtlMs: number;
  readonly now: () => number;
  readonly logger: Logger;
  readonly onExtended: (key: string, expiresAtMs: number) => void;
}): SessionExtensions {
  const { store, sessionTtlMs, now, logger, onExtended } = options;
  const running = new Map<string, Promise<void>>();
  let pausedUntilMs = -Infinity;

  async function extend(key: string): Promise<void> {
    try {
      const expiresAtMs = now() + sessionTtlMs;
      await store.extendSession(tokenHashOf(key), expiresAtMs);
      onExtended(key, expiresAtMs);
    } catch (error) {
      pausedUntilMs = now() + RETRY_MS;
      logger.warn({ err: error }, "a session was not extended");
    } finally {
      running.delete(key);
    }
  }

  return {
    consider(key, expiresAtMs) {
      const isDue = expiresAtMs - now() < sessionTtlMs / 2;
      if (isDue && now() >= pausedUntilMs && !running.has(key) && running.size < MAX_RUNNING) {
        running.set(key, extend(key));
      }
    },
    async close() {
      await Promise.all(running.values());
    },
  };
}
