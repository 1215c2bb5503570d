import { LockMode } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { AccountTable } from "./entities.ts";

/**
 * Locks an account's row until the end of the transaction, so that what concerns all of an account's characters or
 * sessions happens one after the other. False when there is no such account.
 */
export async function lockAccount(em: SqlEntityManager, id: number): Promise<boolean> {
  const row = await em.findOne(AccountTable, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return row !== null;
}
