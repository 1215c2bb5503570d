import { Code, ConnectError } from "@connectrpc/connect";
import type { PortResponse } from "./plain-answer.ts";

/** The signal of a call, made when somebody asks for it: most calls never do. */
export interface CallSignal {
  get(): AbortSignal;
  /** Whether the caller went away, so that nobody is left to be told. */
  isGone(): boolean;
  /** The call is over. */
  end(): void;
}

/** A signal that aborts when the caller goes away, when the deadline passes and when the server stops. */
export function createCallSignal(options: {
  response: PortResponse;
  shutdownSignal: AbortSignal;
  timeoutMs: number | undefined;
}): CallSignal {
  const { response, shutdownSignal, timeoutMs } = options;
  const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  let controller: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let gone = false;

  function abort(reason: unknown): void {
    end();
    controller?.abort(reason);
  }
  function onGone(): void {
    gone = true;
    abort(new ConnectError("the caller went away", Code.Canceled));
  }
  function onShutdown(): void {
    abort(shutdownSignal.reason);
  }
  function onDeadline(): void {
    abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  }
  function end(): void {
    clearTimeout(timer);
    if (!controller) return;
    response.off("close", onGone);
    shutdownSignal.removeEventListener("abort", onShutdown);
  }

  return {
    get() {
      if (controller) return controller.signal;
      controller = new AbortController();
      if (shutdownSignal.aborted) {
        onShutdown();
      } else {
        response.once("close", onGone);
        shutdownSignal.addEventListener("abort", onShutdown);
        if (deadline !== undefined) {
          timer = setTimeout(onDeadline, Math.max(0, deadline - performance.now()));
        }
      }
      return controller.signal;
    },
    isGone: () => gone,
    end,
  };
}
