import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Logger } from "../logger.ts";
import type { Frame, Zone } from "../sim/zone.ts";

/** Ticks that are caught up at once after a delay; what is beyond is lost, and the world's time slows down. */
export const MAX_CATCH_UP_TICKS = 5;
/** How long a zone without characters goes on at the idle rate before it sleeps. */
export const IDLE_BEFORE_SLEEP_MS = 60_000;
/** Time between the ticks of a zone without characters. */
export const IDLE_PERIOD_MS = 1_000;
/** The speed of time is measured over this long. */
const SPEED_WINDOW_MS = 2_000;
/** Below this many percent the world counts as slow, from the other on as normal again. */
const SLOW_PERCENT = 90;
const NORMAL_PERCENT = 98;

/** The real clock of a zone. */
export interface ZoneRunner {
  start(): void;
  stop(): void;
  /** Carries an input out at once, and wakes a sleeping zone. */
  apply(input: Input): Outcome;
  readonly state: "running" | "idle" | "asleep" | "stopped";
}

/** What a runner needs. */
export interface ZoneRunnerOptions {
  readonly zone: Zone;
  readonly logger: Logger;
  /** Takes each tick's frame. */
  readonly onFrame: (frame: Frame) => void;
  readonly onSpeed: (percent: number) => void;
  /** A tick of a zone with characters took so long, and began so late, both in milliseconds. */
  readonly onStep?: ((tookMs: number, lateMs: number) => void) | undefined;
  /** The simulation threw: the zone has ended. */
  readonly onCrash: (error: unknown) => void;
  /** A clock that only goes forward, in milliseconds. */
  readonly now?: () => number;
}

/**
 * Steps a zone at its rate. It catches up a bounded number of ticks, and when it cannot keep up it lets the
 * world's time slow down and says so, rather than stuttering. An empty zone steps rarely, then sleeps.
 */
export function createZoneRunner(options: ZoneRunnerOptions): ZoneRunner {
  const { zone, logger } = options;
  const now = options.now ?? (() => performance.now());
  const periodMs = 1000 / zone.tickRateHz;
  let state: ZoneRunner["state"] = "stopped";
  let timer: NodeJS.Timeout | undefined;
  let due = 0;
  let emptySince = 0;
  let window = { from: 0, ticks: 0 };
  let percent = 100;

  function schedule(delayMs: number): void {
    timer = setTimeout(onTimer, Math.max(0, delayMs));
  }

  function onTimer(): void {
    if (state === "stopped") return;
    const at = now();
    if (zone.characterCount() === 0) {
      idle(at);
      return;
    }
    if (state !== "running") wake(at);
    let steps = 0;
    while (due <= at && steps < MAX_CATCH_UP_TICKS) {
      const began = now();
      if (!step()) return;
      options.onStep?.(now() - began, began - due);
      due += periodMs;
      steps++;
    }
    if (due <= at) due = at + periodMs;
    window.ticks += steps;
    measure(at);
    schedule(due - now());
  }

  function idle(at: number): void {
    if (state === "running") emptySince = at;
    state = at - emptySince > IDLE_BEFORE_SLEEP_MS ? "asleep" : "idle";
    if (state === "asleep" || !step()) return;
    schedule(IDLE_PERIOD_MS);
  }

  function wake(at: number): void {
    clearTimeout(timer);
    state = "running";
    due = at;
    window = { from: at, ticks: 0 };
  }

  function step(): boolean {
    try {
      options.onFrame(zone.step());
      return true;
    } catch (error) {
      state = "stopped";
      options.onCrash(error);
      return false;
    }
  }

  function measure(at: number): void {
    const elapsed = at - window.from;
    if (elapsed < SPEED_WINDOW_MS) return;
    const measured = Math.min(100, Math.round((window.ticks * periodMs * 100) / elapsed));
    window = { from: at, ticks: 0 };
    const changed = percent === 100 ? measured < SLOW_PERCENT : measured !== percent;
    if (!changed) return;
    percent = measured >= NORMAL_PERCENT ? 100 : measured;
    logger.warn({ zone: zone.name, percent }, "the zone's time runs at another speed");
    options.onSpeed(percent);
  }

  return {
    start() {
      state = "running";
      due = now();
      window = { from: due, ticks: 0 };
      schedule(0);
    },
    stop() {
      state = "stopped";
      clearTimeout(timer);
    },
    apply(input) {
      const outcome = zone.apply(input);
      if ((state === "idle" || state === "asleep") && zone.characterCount() > 0) {
        wake(now());
        schedule(0);
      }
      return outcome;
    },
    get state() {
      return state;
    },
  };
}
