import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Clock } from "./clock.ts";

/** How long a measurement counts, in milliseconds: long enough to meet a message that was not held up. */
const WINDOW_MS = 10_000;

/** An error of the estimated tick that is larger than this is corrected at once, even backwards, in milliseconds. */
const JUMP_MS = 1_000;

/** What time it is on the server, judged by the messages that were held up the least. */
export interface ServerClock {
  /** Milliseconds since 1970-01-01, late by the shortest way from the server to here. Undefined before the first scene. */
  serverTimeMs(): number | undefined;
  /**
   * The tick that is under way, with its fraction, late by the same. Undefined before the first scene.
   * Within a scene it goes back only to mend an error of more than a second.
   */
  tickNow(): number | undefined;
  /** Real milliseconds from tick to tick, longer while the world is slowed. Undefined before the first scene. */
  tickMs(): number | undefined;
  /** Measures by a message at the moment of its arrival. */
  observe(response: UpdateResponse): void;
}

/** What a server clock is made with. */
export interface ServerClockOptions {
  readonly clock: Clock;
  /** How long a measurement counts, in milliseconds. Default: 10 seconds. */
  readonly windowMs?: number;
}

/** Creates a clock that knows nothing until it observes a scene. */
export function createServerClock(options: ServerClockOptions): ServerClock {
  const { clock, windowMs = WINDOW_MS } = options;
  const time = createOffsetFilter(windowMs);
  const ticks = createOffsetFilter(windowMs);
  let pace: Pace | undefined;
  let lastTick = -Infinity;

  const tickMs = (): number | undefined => pace && (pace.fullTickMs * 100) / pace.percent;

  const observe = (response: UpdateResponse): void => {
    const now = clock.now();
    if (response.scene && response.scene.tickRateHz > 0) {
      pace = {
        tick: response.tick,
        timeMs: Number(response.scene.serverTimeMs),
        fullTickMs: 1000 / response.scene.tickRateHz,
        percent: 100,
        isSteady: true,
      };
      lastTick = -Infinity;
      ticks.clear();
    }
    if (pace === undefined) return;
    const percent = slowedTo(response);
    if (percent !== undefined && percent !== pace.percent) {
      pace = { ...pace, percent, isSteady: false };
      ticks.clear();
    }
    ticks.add(response.tick * (tickMs() ?? 0), now);
    if (pace.isSteady) {
      time.add(pace.timeMs + (response.tick - pace.tick) * pace.fullTickMs, now);
    }
  };

  const tickNow = (): number | undefined => {
    const offset = ticks.offset();
    const perTick = tickMs();
    if (offset === undefined || perTick === undefined) return undefined;
    const estimate = (clock.now() + offset) / perTick;
    const isSmallStepBack = estimate < lastTick && (lastTick - estimate) * perTick <= JUMP_MS;
    if (!isSmallStepBack) lastTick = estimate;
    return lastTick;
  };

  const serverTimeMs = (): number | undefined => {
    const offset = time.offset();
    return offset === undefined ? undefined : clock.now() + offset;
  };

  return { serverTimeMs, tickNow, tickMs, observe };
}

/** How a scene ties ticks to time. */
interface Pace {
  readonly tick: number;
  /** The server's time at that tick. */
  readonly timeMs: number;
  readonly fullTickMs: number;
  /** Speed of the zone's time. */
  readonly percent: number;
  /** False once the zone was slowed: it is behind real time then, and its ticks no longer tell the time of day. */
  readonly isSteady: boolean;
}

function slowedTo(response: UpdateResponse): number | undefined {
  let percent: number | undefined;
  for (const { kind } of response.flags) {
    if (kind.case === "slow" && kind.value.percent > 0) percent = kind.value.percent;
  }
  return percent;
}

interface OffsetFilter {
  add(remoteMs: number, localMs: number): void;
  /** The largest difference of remote to local time within the window: that of the message with the least delay. */
  offset(): number | undefined;
  clear(): void;
}

function createOffsetFilter(windowMs: number): OffsetFilter {
  // Offsets fall from the first to the last: one that a later one exceeds can never be the largest again.
  let samples: { offset: number; at: number }[] = [];
  return {
    add(remoteMs, localMs) {
      const offset = remoteMs - localMs;
      while ((samples.at(-1)?.offset ?? Infinity) <= offset) samples.pop();
      samples.push({ offset, at: localMs });
      while ((samples[0]?.at ?? Infinity) < localMs - windowMs) samples.shift();
    },
    offset: () => samples[0]?.offset,
    clear: () => void (samples = []),
  };
}
