import type {
  CharacterRecord,
  ObjectRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
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
  /** Resolves when everything noted until now, under whatever key, is committed; rejects with `STORE_UNAVAILABLE`. */
  allDurable(): Promise<void>;
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

interface Note {
  readonly row: () => Row | undefined;
  /** The number of the earliest note under this key that is not committed. */
  readonly since: number;
}

/** A saver on a store. */
export function createSaver(options: {
  store: Pick<Store, "save">;
  logger: Logger;
  intervalMs?: number;
  maxBatchRows?: number;
}): Saver {
  const { store, logger, maxBatchRows = MAX_BATCH_ROWS } = options;
  const waiting = new Map<string, Note>();
  /** What the running batch writes. */
  let inFlight: ReadonlyMap<string, Note> = new Map();
  let notes = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  /** The batch that begins when the running one ends, for all who wait for it. */
  let next: Promise<void> | undefined;

  async function writeBatch(): Promise<void> {
    const batch = new Map([...waiting].slice(0, maxBatchRows));
    for (const key of batch.keys()) waiting.delete(key);
    inFlight = batch;
    try {
      const rows = [...batch.values()].flatMap(({ row }) => row() ?? []);
      const characters = rows.flatMap((row) => (row.kind === "character" ? row.record : []));
      const objects = rows.flatMap((row) => (row.kind === "object" ? row.record : []));
      if (rows.length > 0) await store.save({ characters, objects });
    } catch (error) {
      // Back into the queue; something newer that was noted meanwhile stands for both.
      for (const [key, note] of batch) {
        waiting.set(key, { row: waiting.get(key)?.row ?? note.row, since: note.since });
      }
      throw error;
    } finally {
      inFlight = new Map();
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

  async function durable(key: string): Promise<void> {
    const last = notes;
    for (;;) {
      const note = waiting.get(key);
      if (inFlight.has(key)) await running;
      else if (note && note.since <= last) await flush();
      else return;
    }
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
    note(key, row) {
      waiting.set(key, { row, since: waiting.get(key)?.since ?? ++notes });
    },
    forget: (key) => void waiting.delete(key),
    durable,
    async allDurable() {
      await Promise.all([...new Set([...inFlight.keys(), ...waiting.keys()])].map(durable));
    },
    get size() {
      return waiting.size;
    },
  };
}
