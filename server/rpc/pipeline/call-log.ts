import { Code } from "@connectrpc/connect";
import type { Logger } from "../../logger.ts";
import type { CallObserver } from "./call-observer.ts";

/** Writes a line for each call that ended, at level `debug`. Not to be used where that level is off: it costs as much as the rest of a call. */
export function createCallLog(logger: Logger): CallObserver {
  return {
    onBegin() {},
    onEnd(call, code, durationMs, { requestId, peer }) {
      const tookMs = Math.round(durationMs * 100) / 100;
      const outcome = code === undefined ? "ok" : Code[code];
      logger.debug({ call, outcome, tookMs, requestId, peer }, "a call ended");
    },
  };
}

/** An observer that tells several; undefined when there are none. */
export function observeWith(observers: readonly CallObserver[]): CallObserver | undefined {
  if (observers.length < 2) return observers[0];
  return {
    onBegin(name) {
      for (const observer of observers) observer.onBegin(name);
    },
    onEnd(name, code, durationMs, context) {
      for (const observer of observers) observer.onEnd(name, code, durationMs, context);
    },
  };
}
