/**
 * The thread of the embedded database. PostgreSQL as WebAssembly computes in whatever thread calls it, and one batch of
 * saves would hold up the world for a fifth of a second.
 */
import { parentPort, workerData } from "node:worker_threads";
import { messages, type PGlite } from "@electric-sql/pglite";
import { completeCopy } from "./folder-copy.ts";
import { databaseFolder, openPglite } from "./pglite-folder.ts";
import type {
  CopyRequest,
  PgliteReport,
  PgliteRequest,
  PgliteWorkerData,
} from "./pglite-messages.ts";

const port = parentPort;
if (!port) throw new Error("This module runs in a worker thread.");

function report(message: PgliteReport): void {
  port?.postMessage(message);
}

try {
  const database = await openPglite((workerData as PgliteWorkerData).dataDir, giveUp);
  port.on("message", (request: PgliteRequest) => {
    void answer(database, request);
  });
  report({ kind: "ready" });
} catch (error) {
  giveUp(error);
}

async function answer(database: PGlite, request: PgliteRequest): Promise<void> {
  if (request.kind === "close") {
    await close(database);
    return;
  }
  const { id } = request;
  try {
    if (request.kind === "copy") {
      report({ kind: "copied", id, pausedMs: await copy(database, request) });
      return;
    }
    const { sql, parameters } = request;
    const { rows, affectedRows } = await database.query<Record<string, unknown>>(sql, [
      ...parameters,
    ]);
    report({ kind: "rows", id, rows, affected: affectedRows });
  } catch (error) {
    if (cannotGoOn(error)) giveUp(error);
    else report({ kind: "refused", id, error: fieldsOf(error) });
  }
}

/** While this thread copies, nothing is written: the copy is one from which the database recovers, as after a crash. */
async function copy(database: PGlite, { to, copied }: CopyRequest): Promise<number> {
  const began = performance.now();
  // There is then next to nothing to recover.
  await database.query("checkpoint");
  completeCopy(databaseFolder((workerData as PgliteWorkerData).dataDir), to, copied);
  return performance.now() - began;
}

async function close(database: PGlite): Promise<void> {
  try {
    // The next start then has nothing to recover.
    await database.query("checkpoint");
    await database.close();
  } catch (error) {
    giveUp(error);
  }
  port?.close();
}

/** Whether an error means that the database's memory cannot be trusted any more. */
function cannotGoOn(error: unknown): boolean {
  if (error instanceof messages.DatabaseError) {
    return error.severity === "FATAL" || error.severity === "PANIC";
  }
  return error instanceof WebAssembly.RuntimeError || (error as Error).name === "ExitStatus";
}

function fieldsOf(error: unknown): Extract<PgliteReport, { kind: "refused" }>["error"] {
  const { message, code, detail, constraint, table, column } =
    error as Partial<messages.DatabaseError> & Error;
  return { message, code: code ?? "", detail, constraint, table, column };
}

function giveUp(error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  report({ kind: "broken", reason });
  // Not process.exit: what was posted must still arrive.
  port?.close();
}
