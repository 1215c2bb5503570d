import type { Logger } from "./logger.ts";

/** Something that is started and closed. A part that only `start`s half is closed too. */
export interface Part {
  readonly name: string;
  start(): unknown;
  close(): unknown;
}

/** Parts that live together. */
export interface Lifecycle {
  /** Starts the parts one after the other, each with its time in the log. A failure closes those that had started, and the one that failed. */
  start(): Promise<void>;
  /** Closes the parts in the opposite order, all of them whatever fails, once. Rejects with what failed. */
  close(): Promise<void>;
}

/** A lifecycle of parts in the order in which they need each other. */
export function createLifecycle(parts: readonly Part[], logger: Logger): Lifecycle {
  const started: Part[] = [];
  let starting: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  async function begin(): Promise<void> {
    for (const part of parts) {
      if (closing) throw new Error("the server was stopped while it started");
      const began = performance.now();
      started.push(part);
      try {
        await part.start();
      } catch (error) {
        await end().catch(() => {});
        throw error;
      }
      logger.info({ tookMs: Math.round(performance.now() - began) }, `${part.name} started`);
    }
  }

  async function end(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of started.splice(0).reverse()) {
      const began = performance.now();
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
        logger.error({ err: error, part: part.name }, "could not be closed");
      }
      logger.debug({ part: part.name, tookMs: Math.round(performance.now() - began) }, "closed");
    }
    if (failures.length > 0) throw new AggregateError(failures, "some parts could not be closed");
  }

  return {
    start() {
      const begun = begin();
      starting = begun.catch(() => {});
      return begun;
    },
    close: () => (closing ??= starting.then(end)),
  };
}
