import type { SqlEntityManager } from "@mikro-orm/sql";

/** Keys that are looked up at once, at most; further ones wait for the next time. */
export const MAX_KEYS_AT_ONCE = 500;

/** Looks up a key. Undefined: there is nothing. */
export type Loader<Row> = (em: SqlEntityManager, key: string) => Promise<Row | undefined>;

/**
 * Looks keys up together: while the database works on some, others gather, and then all of them go in one operation. A crowd that comes in
 * asks a few times instead of once for each of it, and who comes alone waits for nobody. `find` begins after each of its keys was
 * asked for, so what was written before is seen; its failure is the failure of all its keys.
 */
export function createLoader<Row>(
  find: (em: SqlEntityManager, keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
): Loader<Row> {
  const waiting = new Map<string, PromiseWithResolvers<Row | undefined>>();
  let isBusy = false;

  async function loadAll(em: SqlEntityManager): Promise<void> {
    isBusy = true;
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, MAX_KEYS_AT_ONCE);
      const keys = batch.map(([key]) => key);
      for (const key of keys) waiting.delete(key);
      try {
        const found = await find(em.fork(), keys);
        for (const [key, { resolve }] of batch) resolve(found.get(key));
      } catch (error) {
        for (const [, { reject }] of batch) reject(error);
      }
    }
    isBusy = false;
  }

  return (em, key) => {
    let asked = waiting.get(key);
    if (!asked) {
      asked = Promise.withResolvers();
      waiting.set(key, asked);
    }
    if (!isBusy) void loadAll(em);
    return asked.promise;
  };
}
