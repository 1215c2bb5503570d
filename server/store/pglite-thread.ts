import { Worker } from "node:worker_threads";
import type { CopiedFiles } from "./folder-copy.ts";
import type { PgliteReport, PgliteRequest, PgliteWorkerData } from "./pglite-messages.ts";
import { ConnectionLostError } from "./unavailable.ts";

/** How long a thread may take to close the database before it is ended, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;

/** What a statement gave. */
export interface PgliteResult {
  readonly rows: readonly Record<string, unknown>[];
  /** Rows that the statement changed. */
  readonly affected: number | undefined;
}

/** A thread with the embedded database of one folder. */
export interface PgliteThread {
  /**
   * Runs one statement. Rejects with an error that has the SQLSTATE as `code`, or with a `ConnectionLostError` when
   * the thread has ended or does not answer in time; it is then ended, as if the machine of a server had failed.
   */
  query(sql: string, parameters: readonly unknown[]): Promise<PgliteResult>;
  /**
   * Completes a copy of the database's folder as it is at one moment, and says for how many milliseconds nothing else could be done.
   * Rejects when it cannot be written.
   */
  completeCopy(to: string, copied: CopiedFiles): Promise<number>;
  /** Whether it has ended, or is about to. */
  isOver(): boolean;
  /** Closes the database, if it still runs, and resolves when the thread has ended. */
  close(): Promise<void>;
}

/** Starts a thread; resolves when the database is open. `statementTimeoutMs` bounds each statement. */
export async function startPgliteThread(options: {
  readonly dataDir: string;
  readonly statementTimeoutMs: number;
}): Promise<PgliteThread> {
  const { dataDir, statementTimeoutMs } = options;
  const data: PgliteWorkerData = { dataDir };
  const worker = new Worker(new URL("./pglite-worker.ts", import.meta.url), {
    workerData: data,
    name: "pglite",
    execArgv: [],
  });
  const waiting = new Map<number, PromiseWithResolvers<PgliteReport>>();
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let lastId = 0;
  let over: ConnectionLostError | undefined;

  function end(reason: string, cause?: unknown): void {
    over ??= new ConnectionLostError(reason, cause);
    opened.reject(over);
    for (const { reject } of waiting.values()) reject(over);
    waiting.clear();
    void worker.terminate();
  }

  function hear(report: PgliteReport): void {
    switch (report.kind) {
      case "ready":
        opened.resolve();
        return;
      case "rows":
      case "copied":
        settle(report.id)?.resolve(report);
        return;
      case "refused":
        settle(report.id)?.reject(Object.assign(new Error(report.error.message), report.error));
        return;
      case "broken":
        end(`The embedded database failed: ${report.reason}`);
        return;
    }
  }

  function settle(id: number): PromiseWithResolvers<PgliteReport> | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  /** Asks for something that is answered. What takes longer than the limit has hung. */
  async function call<K extends "rows" | "copied">(
    request: PgliteRequest & { readonly id: number },
  ): Promise<Extract<PgliteReport, { kind: K }>> {
    if (over) throw over;
    const answer = Promise.withResolvers<PgliteReport>();
    waiting.set(request.id, answer);
    const timer = setTimeout(() => {
      end(`The embedded database did not answer within ${statementTimeoutMs} ms.`);
    }, statementTimeoutMs);
    ask(request);
    try {
      return (await answer.promise) as Extract<PgliteReport, { kind: K }>;
    } finally {
      clearTimeout(timer);
    }
  }

  function ask(request: PgliteRequest): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(request);
  }

  worker.on("message", hear);
  worker.on("error", (error) => end("The thread of the embedded database failed.", error));
  worker.on("exit", () => {
    end("The thread of the embedded database ended.");
    ended.resolve();
  });

  try {
    await opened.promise;
  } catch (error) {
    await ended.promise;
    throw error;
  }
  return {
    query: (sql, parameters) => call<"rows">({ kind: "query", id: ++lastId, sql, parameters }),
    async completeCopy(to, copied) {
      const { pausedMs } = await call<"copied">({ kind: "copy", id: ++lastId, to, copied });
      return pausedMs;
    },
    isOver: () => over !== undefined,
    async close() {
      if (!over) ask({ kind: "close" });
      const timer = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}
