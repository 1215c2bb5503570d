import type {
  CharacterRecord,
  ObjectRecord,
  PlacesRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { Logger } from "../logger.ts";
import type { SaveBatch, Store } from "../store/store.ts";

/** How long a change that nobody waits for may stay unwritten. A crash may cost that long. */
export const SAVE_INTERVAL_MS = 1_000;
/** Rows in one batch. */
export const MAX_BATCH_ROWS = 2_000;
/** A crowd is written in up to so many parts, so that neither the thread of the ticks nor the database is busy with all of it at once. */
export const PARTS = 10;
/** A part has at least so many rows, since a commit costs as much as some of them. */
export const PART_ROWS = 100;

/** A row to be written. */
export type Row =
  | { readonly kind: "character"; readonly record: CharacterRecord }
  | { readonly kind: "object"; readonly record: ObjectRecord }
  | { readonly kind: "places"; readonly record: PlacesRecord };

/** Makes a row. Undefined: there is nothing to write any more. */
export type RowMaker = () => Row | undefined | Promise<Row | undefined>;

/**
 * Writes what changed in the zones to the store: behind, in batches, one batch at a time, or at once when
 * somebody waits for it. One for all zones of a node, so that the rows of a character are written in
 * the order of its life, also across zones.
 */
export interface Saver {
  start(): void;
  /** Writes everything that is left; rejects when the store does not take it. */
  close(): Promise<void>;
  /**
   * Notes that a row has to be written. `row` is asked when the batch is made, which waits for it; undefined: no longer. One that
   * fails is lost, which is logged.
   */
  note(key: string, row: RowMaker): void;
  /** Forgets a row. */
  forget(key: string): void;
  /**
   * Resolves when everything noted under a key until now is committed; rejects with `STORE_UNAVAILABLE`, or with why it is lost. What others noted
   * before is written first or along with it, so that a crash does not keep what one got and lose that it was taken from another.
   */
  durable(key: string): Promise<void>;
  /** Resolves when nothing noted until now under a key, or under any, waits any more: it is committed or lost. Rejects with `STORE_UNAVAILABLE`. */
  settled(key?: string): Promise<void>;
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

/** The key under which it is noted where the characters of a zone are. */
export function placesKey(zone: string): string {
  return `p${zone}`;
}

interface Note {
  row: RowMaker;
  /** The number of the earliest note under this key that is not committed. */
  since: number;
  /** Why there never will be a row. */
  lost?: { readonly error: unknown };
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

  /** Parts of the interval since rows were written behind. */
  let parts = 0;

  async function writeBatch(atMost: number): Promise<void> {
    const batch = new Map([...waiting].slice(0, Math.min(atMost, maxBatchRows)));
    for (const key of batch.keys()) waiting.delete(key);
    inFlight = batch;
    let rows: ReadonlyMap<string, Row> = new Map();
    try {
      rows = await makeRows(batch, logger);
      if (rows.size > 0) await store.save(batchOf(rows.values()));
    } catch (error) {
      // Back into the queue as they are: what changed since was noted again, and stands for both.
      for (const [key, note] of batch) {
        const row = rows.get(key);
        const newer = waiting.get(key);
        if (newer) newer.since = note.since;
        // Who has left meanwhile must not be put back, so it is asked again where everybody is.
        else if (row?.kind === "places") waiting.set(key, note);
        else if (row) waiting.set(key, Object.assign(note, { row: () => row }));
      }
      throw error;
    } finally {
      inFlight = new Map();
    }
  }

  function flush(atMost = maxBatchRows): Promise<void> {
    if (!running) {
      running = writeBatch(atMost).finally(() => {
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

  /** Writes those that have waited longest, as many as the time that has passed asks for: within the interval all have their turn. */
  function writeBehind(): void {
    parts = Math.min(parts + 1, PARTS);
    const rows = Math.ceil((waiting.size * parts) / PARTS);
    if (rows === 0 || running || (rows < PART_ROWS && parts < PARTS)) return;
    parts = 0;
    flush(rows).catch((error: unknown) => {
      logger.warn({ err: error, rows: waiting.size }, "could not save; trying again");
    });
  }

  /** Waits for what was noted under a key until now; why it is lost comes back. */
  async function written(key: string): Promise<Note["lost"]> {
    const last = notes;
    for (;;) {
      const flying = inFlight.get(key);
      const note = waiting.get(key);
      if (flying) {
        await running;
        if (flying.lost) return flying.lost;
      } else if (note && note.since <= last) {
        await flush();
        if (note.lost) return note.lost;
      } else return undefined;
    }
  }

  return {
    start() {
      timer = setInterval(writeBehind, (options.intervalMs ?? SAVE_INTERVAL_MS) / PARTS);
    },
    async close() {
      clearInterval(timer);
      timer = undefined;
      await running?.catch(() => {});
      while (waiting.size > 0) await flush();
    },
    note(key, row) {
      const before = waiting.get(key);
      if (before) before.row = row;
      else waiting.set(key, { row, since: ++notes });
    },
    forget: (key) => void waiting.delete(key),
    async durable(key) {
      const lost = await written(key);
      if (lost) throw lost.error;
    },
    async settled(key) {
      const keys = key === undefined ? [...inFlight.keys(), ...waiting.keys()] : [key];
      await Promise.all([...new Set(keys)].map(written));
    },
    get size() {
      return waiting.size;
    },
  };
}

function batchOf(rows: Iterable<Row>): SaveBatch {
  const characters: CharacterRecord[] = [];
  const objects: ObjectRecord[] = [];
  const places: PlacesRecord[] = [];
  for (const { kind, record } of rows) {
    if (kind === "character") characters.push(record);
    else if (kind === "object") objects.push(record);
    else places.push(record);
  }
  return { characters, objects, places };
}

/** The rows of a batch by key. Those that cannot be made are lost. */
async function makeRows(
  batch: ReadonlyMap<string, Note>,
  logger: Logger,
): Promise<ReadonlyMap<string, Row>> {
  const rows = new Map<string, Row>();
  const making = [...batch].map(async ([key, note]) => {
    try {
      const row = await note.row();
      if (row) rows.set(key, row);
    } catch (error) {
      note.lost = { error };
      logger.warn(
        { err: error, key },
        "a change is lost: what was to be saved is not there any more",
      );
    }
  });
  await Promise.all(making);
  return rows;
}
