import { CompiledQuery, type Kysely } from "kysely";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { DomainError } from "../errors.ts";
import { ConnectionLostError, meansUnavailable, storeUnavailable } from "./unavailable.ts";

/** Operations that may be under way at once; further ones are refused with `STORE_UNAVAILABLE`. */
const MAX_OPERATIONS_UNDER_WAY = 4096;

/** Runs operations on the database within the time limit, and tells what went wrong in the store's own words. */
export interface Database {
  /** Runs an operation of one statement. */
  run<T>(operation: (em: SqlEntityManager) => Promise<T>): Promise<T>;
  /** Runs an operation whose statements take effect together or not at all. */
  transaction<T>(operation: (em: SqlEntityManager) => Promise<T>): Promise<T>;
  /** Lets operations begin. Before, they are refused with `STORE_UNAVAILABLE`. */
  open(em: SqlEntityManager): void;
  /** Refuses new operations and waits until those under way have ended, at most the time limit. */
  drain(): Promise<void>;
}

/**
 * Creates a database that is not open yet. `timeoutMs` bounds each operation, its wait for a connection included. `onError` is
 * told why operations failed.
 */
export function createDatabase(options: {
  readonly timeoutMs: number;
  readonly onError?: (error: unknown) => void;
}): Database {
  const { timeoutMs, onError } = options;
  const underWay = new Set<Promise<unknown>>();
  let opened: SqlEntityManager | undefined;

  async function limited<T>(
    start: (em: SqlEntityManager, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    if (!opened) throw storeUnavailable(new ConnectionLostError("The store is not open."));
    if (underWay.size >= MAX_OPERATIONS_UNDER_WAY) {
      throw storeUnavailable(new Error(`${underWay.size} operations are under way.`));
    }
    const deadline = createDeadline(timeoutMs);
    const work = start(opened.fork(), deadline);
    underWay.add(work);
    // The work outlives the deadline by little: the drivers bound each statement.
    const forget = () => underWay.delete(work);
    work.then(forget, forget);
    try {
      return await Promise.race([work, deadline.passed]);
    } catch (error) {
      onError?.(error);
      if (error instanceof DomainError || !meansUnavailable(error)) throw error;
      throw storeUnavailable(error);
    } finally {
      deadline.clear();
    }
  }

  return {
    run(operation) {
      return limited(operation);
    },
    transaction(operation) {
      return limited((em, deadline) =>
        inTransaction(em, async () => {
          const result = await operation(em);
          // Nobody waits for this any more: better not to have done it.
          if (deadline.isOver()) throw new ConnectionLostError("The transaction took too long.");
          return result;
        }),
      );
    },
    open(em) {
      opened = em;
    },
    async drain() {
      opened = undefined;
      const deadline = createDeadline(timeoutMs);
      await Promise.race([Promise.allSettled(underWay), deadline.passed]).catch(() => {});
      deadline.clear();
    },
  };
}

/**
 * Runs what a fresh entity manager does as one transaction. `em.transactional` would be the usual way, but Kysely's
 * controlled transactions, which it uses, never give a connection back whose `begin` or `rollback` failed: ten losses of
 * the connection, and the pool is empty for good. Kysely's own form gives it back always.
 */
async function inTransaction<T>(em: SqlEntityManager, work: () => Promise<T>): Promise<T> {
  const kysely: Kysely<unknown> = em.getKysely();
  return kysely.transaction().execute((transaction) => {
    em.setTransactionContext(transaction);
    return work();
  });
}

/** The rows that a statement gives. `parameters` are bound to `$1`, `$2` and so on. */
export async function rows<Row>(
  em: SqlEntityManager,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const query = CompiledQuery.raw(text, [...parameters]);
  const result = await em.getKysely().executeQuery<Row>(query);
  return result.rows;
}

interface Deadline {
  /** Rejects when the time is up. */
  readonly passed: Promise<never>;
  isOver(): boolean;
  clear(): void;
}

function createDeadline(timeoutMs: number): Deadline {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => {});
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    reject(new ConnectionLostError(`No answer within ${timeoutMs} ms.`));
  }, timeoutMs);
  return { passed, isOver: () => over, clear: () => clearTimeout(timer) };
}
