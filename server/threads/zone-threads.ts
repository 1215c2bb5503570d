import type { Bus } from "../bus/bus.ts";
import type { Logger } from "../logger.ts";
import type { NodeTickTimes } from "../metrics/tick-times.ts";
import type { ZonePlace, ZonePlaces } from "../zone/zone-place.ts";
import { startZoneThread } from "./zone-thread.ts";
import type { ZoneThread } from "./zone-thread.ts";

/** How often threads are looked after: whether they live, and how busy they are. */
export const CHECK_INTERVAL_MS = 1_000;
/** How long a thread may give no sign of life before it is ended: a script that never comes to an end keeps all zones of its thread from going on. */
export const HUNG_AFTER_MS = 10_000;
/** How long after its end a thread's place is taken by a new one; twice as long after each one that did not start. */
export const RESTART_DELAY_MS = 500;
export const MAX_RESTART_DELAY_MS = 60_000;
/** Threads that are busy to the same fifth count as equally busy: then the one with fewer zones has less to do. */
const BUSY_STEPS = 5;

/** The threads that zones are spread over. */
export interface ZoneThreads extends ZonePlaces {
  /** Starts them all; rejects with what is wrong with the game, and then none is left. */
  start(): Promise<void>;
  /** Ends them. The zones have to be stopped before. */
  close(): Promise<void>;
}

/** What threads for zones need. */
export interface ZoneThreadsOptions {
  readonly count: number;
  readonly bus: Bus;
  readonly logger: Logger;
  /** The folder of the game, which each of them loads. */
  readonly game: string;
  /** Names this node in the names of the threads; a token of a subject. */
  readonly node: string;
  readonly hungAfterMs?: number;
  /** Where threads note the times of their ticks. */
  readonly tickTimes?: Pick<NodeTickTimes, "lend" | "giveBack"> | undefined;
}

/** A thread with what runs on it. */
interface Crew {
  readonly thread: ZoneThread;
  readonly onLost: Set<() => void>;
  zones: number;
  busy: number;
  checking: boolean;
}

/** Threads that have not been started. One that ends by itself is replaced by a new one. */
export function createZoneThreads(options: ZoneThreadsOptions): ZoneThreads {
  const { bus, logger, count, hungAfterMs = HUNG_AFTER_MS } = options;
  const crews = new Set<Crew>();
  const waiting: (() => void)[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  let checker: NodeJS.Timeout | undefined;
  let lastNumber = 0;
  let closed = false;

  async function startOne(): Promise<void> {
    const name = `${options.node}-${++lastNumber}`;
    const tickTimes = options.tickTimes?.lend();
    const data = { thread: name, game: options.game, tickTimes };
    const giveBack = () => tickTimes && options.tickTimes?.giveBack(tickTimes);
    const thread = await startZoneThread({ bus, logger, data }).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    void thread.ended.then(giveBack);
    if (closed) {
      await thread.close();
      return;
    }
    const crew: Crew = { thread, onLost: new Set(), zones: 0, busy: 0, checking: false };
    crews.add(crew);
    void thread.ended.then(() => lose(crew));
    for (const go of waiting.splice(0)) go();
  }

  function lose(crew: Crew): void {
    crews.delete(crew);
    if (closed) return;
    const { name, error } = crew.thread;
    logger.error({ err: error, thread: name, zones: crew.zones }, "a thread for zones ended");
    for (const listener of [...crew.onLost]) listener();
    startAgain(RESTART_DELAY_MS);
  }

  function startAgain(delayMs: number): void {
    const timer = setTimeout(() => {
      restarts.delete(timer);
      startOne().then(
        () => logger.info({ threads: crews.size }, "a new thread for zones has started"),
        (error: unknown) => {
          logger.error({ err: error }, "a thread for zones could not be started");
          if (!closed) startAgain(Math.min(MAX_RESTART_DELAY_MS, delayMs * 2));
        },
      );
    }, delayMs);
    restarts.add(timer);
  }

  function check(): void {
    for (const crew of crews) {
      crew.busy = crew.thread.busyShare();
      if (crew.checking) continue;
      crew.checking = true;
      void crew.thread.check(hungAfterMs).finally(() => (crew.checking = false));
    }
  }

  /** The one that has the least to do; the one that was there first among equals. */
  function leastLoaded(): Crew | undefined {
    const load = ({ busy, zones }: Crew) => Math.round(busy * BUSY_STEPS) * 1_000_000 + zones;
    return [...crews].sort((a, b) => load(a) - load(b))[0];
  }

  function placeOn(crew: Crew): ZonePlace {
    crew.zones++;
    let released = false;
    return {
      host: crew.thread.name,
      onLost(listener) {
        if (!crews.has(crew)) queueMicrotask(listener);
        crew.onLost.add(listener);
        return () => crew.onLost.delete(listener);
      },
      release() {
        if (!released) crew.zones--;
        released = true;
      },
    };
  }

  return {
    async take() {
      for (;;) {
        const crew = leastLoaded();
        if (crew) return placeOn(crew);
        if (closed) throw new Error("the threads for zones are closed");
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    async start() {
      const started = await Promise.allSettled(Array.from({ length: count }, startOne));
      const failed = started.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
      checker = setInterval(check, CHECK_INTERVAL_MS);
    },
    async close() {
      closed = true;
      clearInterval(checker);
      for (const timer of restarts) clearTimeout(timer);
      for (const go of waiting.splice(0)) go();
      await Promise.all([...crews].map(({ thread }) => thread.close()));
    },
  };
}
