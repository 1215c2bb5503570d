import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type {
  CharacterRecord,
  ObjectRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";

/** How long a change that nobody waits for may stay unwritten. A crash may cost that long. */
export const SAVE_INTERVAL_MS = 1_000;
/** Rows in one batch. */
export const MAX_BATCH_ROWS = 2_000;

/** A row to be written. */
export type Row =
  | { readonly kind: "character"; readonly record: CharacterRecord }
  | { readonly kind: "object"; readonly record: ObjectRecord };

/**
 * Writes what changed in the zones to the store: behind, in batches, one batch at a time, or at once when
 * somebody waits for it. One for all zones of a node, so that the rows of a character are written in
 * the order of its life, also across zones.
 */
export interface Saver {
  start(): void;
  /** Writes everything that is left; rejects when the store does not take it. */
  close(): Promise<void>;
  /** Notes that a row has to be written. `row` is asked when the batch is made; undefined: no longer. */
  note(key: string, row: () => Row | undefined): void;
  /** Forgets a row. */
  forget(key: string): void;
  /** Resolves when everything noted under a key until now is committed; rejects with `STORE_UNAVAILABLE`. */
  durable(key: string): Promise<void>;
  /** Rows that wait. */
  readonly size: number;
}

/** The key under which a character's row is noted. */
export function characterKey(id: number): string {
  return `c${id}`;
}

/** The key under which the row of a thing is noted. */
export function objectKey(zone: string, name: string): string {
  return `o${zone}/${name}`;
}

/** A saver on a store. */
export function createSaver(options: {
  store: Pick<Store, "save">;
  logger: Logger;
  intervalMs?: number;
}): Saver {
  const { store, logger } = options;
  const waiting = new Map<string, () => Row | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  /** The batch that begins when the running one ends, for all who wait for it. */
  let next: Promise<void> | undefined;

  async function writeBatch(): Promise<void> {
    const batch = [...waiting].slice(0, MAX_BATCH_ROWS);
    for (const [key] of batch) waiting.delete(key);
    const characters: CharacterRecord[] = [];
    const objects: ObjectRecord[] = [];
    for (const [, row] of batch) {
      const made = row();
      if (made?.kind === "character") characters.push(made.record);
      else if (made) objects.push(made.record);
    }
    if (characters.length + objects.length === 0) return;
    try {
      await store.save({ characters, objects });
    } catch (error) {
      // Back into the queue, unless something newer was noted meanwhile.
      for (const [key, row] of batch) if (!waiting.has(key)) waiting.set(key, row);
      throw error;
    }
  }

  function flush(): Promise<void> {
    if (!running) {
      running = writeBatch().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return flush();
      });
    return next;
  }

  return {
    start() {
      timer = setInterval(() => {
        if (waiting.size === 0 || running) return;
        flush().catch((error: unknown) => {
          logger.warn({ err: error, rows: waiting.size }, "could not save; trying again");
        });
      }, options.intervalMs ?? SAVE_INTERVAL_MS);
    },
    async close() {
      clearInterval(timer);
      timer = undefined;
      await running?.catch(() => {});
      while (waiting.size > 0) await flush();
    },
    note: (key, row) => void waiting.set(key, row),
    forget: (key) => void waiting.delete(key),
    async durable(key) {
      const row = waiting.get(key);
      if (row === undefined) {
        // Either it was committed long ago, or the running batch has it.
        await running;
        return;
      }
      do await flush();
      while (waiting.get(key) === row);
    },
    get size() {
      return waiting.size;
    },
  };
}

/** Turns any failure of the store into the error that callers are promised. */
export function storeUnavailable(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  return new DomainError(ErrorReason.STORE_UNAVAILABLE, "the store does not answer", {
    retryDelayMs: 1_000,
    cause,
  });
}
