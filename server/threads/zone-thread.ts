import { Worker } from "node:worker_threads";
import type { Bus } from "../bus/bus.ts";
import { BusError } from "../bus/bus.ts";
import { openBusGate } from "../bus/bus-gate.ts";
import type { Logger } from "../logger.ts";
import { writeThreadLog } from "./thread-log.ts";
import { closeSubject, pingSubject, readySubject } from "./thread-subjects.ts";
import type { ZoneThreadData } from "./thread-subjects.ts";

/** How long a thread may take to load the game, in milliseconds. */
export const THREAD_START_TIMEOUT_MS = 20_000;
/** How long a thread may take to end by itself, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;
const NO_BYTES = new Uint8Array();

/** A thread that simulates zones. */
export interface ZoneThread {
  /** Its name on the bus. */
  readonly name: string;
  /** Resolves when it has ended, however that came. */
  readonly ended: Promise<void>;
  /** What it died of; undefined: nothing that is known. */
  readonly error: unknown;
  /** The part of the time since the last question that it was busy: 0 to 1. */
  busyShare(): number;
  /** Asks for a sign of life, and ends it if none comes in time. */
  check(timeoutMs: number): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** Starts a thread; resolves when it is ready for zones, and rejects with what is wrong with the game. */
export async function startZoneThread(
  options: { readonly bus: Bus; readonly logger: Logger } & { readonly data: ZoneThreadData },
): Promise<ZoneThread> {
  const { bus, logger, data } = options;
  const { thread: name } = data;
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const heard = [
    bus.subscribe(readySubject(name), () => ready.resolve()),
    writeThreadLog(bus, name, logger),
  ];
  let error: unknown;
  const worker = new Worker(new URL("./zone-worker.ts", import.meta.url), {
    workerData: data,
    name,
    execArgv: [],
  });
  const onError = (err: unknown, subject: string) =>
    logger.error({ err, subject, thread: name }, "a message of a thread was not taken");
  const gate = openBusGate({ port: worker, bus, onError });
  worker.on("error", (cause) => (error = cause));
  worker.on("exit", (code) => {
    ready.reject(error ?? new Error(`a thread for zones ended with code ${code}`));
    ended.resolve();
    // Those who wait for `ended` know first that it is lost, then what they asked fails.
    setImmediate(() => {
      gate.close();
      for (const subscription of heard) subscription.close();
    });
  });
  const timer = setTimeout(() => {
    ready.reject(new Error(`a thread for zones was not ready in ${THREAD_START_TIMEOUT_MS} ms`));
  }, THREAD_START_TIMEOUT_MS);
  try {
    await ready.promise;
  } catch (cause) {
    await worker.terminate();
    throw cause;
  } finally {
    clearTimeout(timer);
  }
  let measured = worker.performance.eventLoopUtilization();
  return {
    name,
    ended: ended.promise,
    get error() {
      return error;
    },
    busyShare() {
      const now = worker.performance.eventLoopUtilization();
      const { utilization } = worker.performance.eventLoopUtilization(now, measured);
      measured = now;
      return utilization;
    },
    async check(timeoutMs) {
      try {
        await bus.request(pingSubject(name), NO_BYTES, { timeoutMs });
      } catch (cause) {
        if (!(cause instanceof BusError) || cause.kind !== "timeout") return;
        error ??= new Error(`it gave no sign of life for ${timeoutMs} ms`);
        await worker.terminate();
      }
    },
    async close() {
      bus.publish(closeSubject(name), NO_BYTES);
      const end = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
      await ended.promise;
      clearTimeout(end);
    },
  };
}
