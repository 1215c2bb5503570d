import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { BackupResponse } from "../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { DomainError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { type BackupAbout, streamBackup } from "./backup-stream.ts";

/** Makes backups of a running world. */
export interface Backups {
  /** The messages of a backup as the world is now. Rejects with `BACKUP_UNAVAILABLE`, also while another one is under way, and with `STORE_UNAVAILABLE`. */
  make(signal: AbortSignal): AsyncGenerator<BackupResponse, void, undefined>;
}

/** Creates the making of backups: one at a time. */
export function createBackups(options: {
  readonly store: Pick<Store, "snapshot">;
  /** Writes what waits for the store. */
  readonly settle: () => Promise<unknown>;
  readonly about: Omit<BackupAbout, "takenAtMs">;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): Backups {
  const { store, settle, about, now } = options;
  let isRunning = false;
  return {
    async *make(signal) {
      if (isRunning) {
        const cause = "another backup is under way";
        throw new DomainError(ErrorReason.BACKUP_UNAVAILABLE, cause, { metadata: { cause } });
      }
      isRunning = true;
      try {
        await settle();
        const takenAtMs = now();
        const snapshot = await store.snapshot();
        try {
          for await (const message of streamBackup(snapshot, { ...about, takenAtMs })) {
            signal.throwIfAborted();
            yield message;
          }
        } finally {
          await snapshot.dispose();
        }
      } finally {
        isRunning = false;
      }
    },
  };
}
