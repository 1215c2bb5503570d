import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import { DomainError } from "../errors.ts";
import { drainCanceledFlag, drainFlag } from "./players/flags.ts";

/** When players are told again, in milliseconds before the stop; before that each minute. */
const TELL_AT_MS: readonly number[] = [30_000, 10_000, 5_000, 4_000, 3_000, 2_000, 1_000];
const MINUTE_MS = 60_000;

/** A server that is going to stop, or not. */
export interface Drain {
  /** Begins the countdown, or sets it anew. When it will be over comes back, in milliseconds since 1970-01-01. */
  begin(stopsInMs: number, reason: string): number;
  /** Goes on after all; false: there was no countdown. */
  cancel(): boolean;
  /** Throws `DRAINING` while the countdown runs. */
  refuseLogins(): void;
  readonly isRunning: boolean;
  /** Why the server stops, as it was given; empty: it was not. */
  readonly reason: string;
  close(): void;
}

/** Creates the countdown of a server. */
export function createDrain(options: {
  /** Tells everybody. */
  readonly raise: (flag: Flag) => void;
  /** It was begun or canceled. */
  readonly onChanged: () => void;
  /** The time is over. */
  readonly onDue: () => void;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): Drain {
  const { raise, onChanged, onDue, now } = options;
  let timer: NodeJS.Timeout | undefined;
  let stop: { readonly atMs: number; readonly reason: string } | undefined;

  function tell(): void {
    if (!stop) return;
    const leftMs = Math.max(0, stop.atMs - now());
    raise(drainFlag(leftMs, stop.reason));
    if (leftMs === 0) onDue();
    else timer = setTimeout(tell, leftMs - nextTellAt(leftMs));
  }

  return {
    begin(stopsInMs, reason) {
      clearTimeout(timer);
      const atMs = now() + stopsInMs;
      stop = { atMs, reason };
      onChanged();
      // The answer to the admin leaves first.
      timer = setTimeout(tell, 0);
      return atMs;
    },
    cancel() {
      if (!stop) return false;
      clearTimeout(timer);
      stop = undefined;
      onChanged();
      raise(drainCanceledFlag());
      return true;
    },
    refuseLogins() {
      if (!stop) return;
      const why = stop.reason && `: ${stop.reason}`;
      throw new DomainError(ErrorReason.DRAINING, `the server is about to stop${why}`, {
        retryDelayMs: Math.max(0, stop.atMs - now()) + RESTART_MS,
      });
    },
    get isRunning() {
      return stop !== undefined;
    },
    get reason() {
      return stop?.reason ?? "";
    },
    close() {
      clearTimeout(timer);
    },
  };
}

/** What a server takes to stop and to start again, as a guess for those who want in, in milliseconds. */
const RESTART_MS = 5_000;

/** How much time is left when players are told next. */
export function nextTellAt(leftMs: number): number {
  if (leftMs > MINUTE_MS) return (Math.ceil(leftMs / MINUTE_MS) - 1) * MINUTE_MS;
  return TELL_AT_MS.find((atMs) => atMs < leftMs) ?? 0;
}
