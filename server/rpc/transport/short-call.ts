import { Code, ConnectError } from "@connectrpc/connect";
import type { ShownToken } from "../../account/tokens.ts";
import type { CallContext } from "../pipeline/admission.ts";
import { DirectAnswer, type RequestHead, type WholeResponse } from "./direct-answer.ts";
import type { PortResponse } from "./plain-answer.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../pipeline/request-id.ts";

/** What a call on the short way is known by. */
export interface ShortCallInit {
  readonly request: RequestHead;
  readonly response: WholeResponse;
  readonly peer: string;
  readonly shutdownSignal: AbortSignal;
  /** When the caller's deadline is, by `performance.now`; undefined: none. */
  readonly deadline: number | undefined;
  /** The token of the request, if it was read before. */
  readonly token?: ShownToken | undefined;
}

/**
 * What the pipeline is told of a call on the short way. Its signal aborts when the caller goes away, when the deadline passes and when the
 * server stops; it is made when somebody asks for it, which most calls never do.
 */
// A class, since getters in object literals are made anew for each object, which costs as much as the rest of a call's bookkeeping.
export class ShortCall implements CallContext {
  readonly authorization: string | undefined;
  readonly token: ShownToken | undefined;
  readonly peer: string;
  /** Whether the caller went away, so that nobody is left to be told. Known only of calls whose signal was asked for. */
  isGone = false;
  private readonly init: ShortCallInit;
  private state: SignalState | undefined;
  private id: string | undefined;

  constructor(init: ShortCallInit) {
    this.init = init;
    this.authorization = init.request.headers.authorization;
    this.token = init.token;
    this.peer = init.peer;
  }

  get requestId(): string {
    this.id ??= requestIdOf(this.init.request.headers[REQUEST_ID_HEADER]);
    return this.id;
  }

  get traceparent(): string | undefined {
    const header = this.init.request.headers["traceparent"];
    return typeof header === "string" ? header : undefined;
  }

  get signal(): AbortSignal {
    this.state ??= this.listen();
    return this.state.controller.signal;
  }

  /** The call is over: its signal stays as it is. */
  end(): void {
    this.state?.stop();
  }

  private listen(): SignalState {
    const { request, response, shutdownSignal, deadline } = this.init;
    const controller = new AbortController();
    const remainingMs = deadline === undefined ? undefined : deadline - performance.now();
    // An answer that waits for earlier ones on its connection has no socket yet and is not told when that closes.
    const connection =
      response instanceof DirectAnswer
        ? response.outlet
        : isQueued(request, response)
          ? request.socket
          : response;
    let timer: NodeJS.Timeout | undefined;

    function stop(): void {
      clearTimeout(timer);
      connection.off("close", onGone);
      shutdownSignal.removeEventListener("abort", onShutdown);
    }
    function abort(reason: unknown): void {
      stop();
      controller.abort(reason);
    }
    const onGone = () => {
      this.isGone = true;
      abort(new ConnectError("the caller went away", Code.Canceled));
    };
    function onShutdown(): void {
      abort(shutdownSignal.reason);
    }
    function onDeadline(): void {
      abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    }

    if (isClosed(response)) onGone();
    else if (shutdownSignal.aborted) onShutdown();
    else if (remainingMs !== undefined && remainingMs <= 0) onDeadline();
    else {
      connection.on("close", onGone);
      shutdownSignal.addEventListener("abort", onShutdown);
      if (remainingMs !== undefined) timer = setTimeout(onDeadline, remainingMs);
    }
    return { controller, stop };
  }
}

interface SignalState {
  readonly controller: AbortController;
  readonly stop: () => void;
}

/** Whether nothing can be written to a response any more because its connection or stream is closed. */
export function isClosed(response: WholeResponse): boolean {
  return "stream" in response
    ? response.stream.destroyed || response.stream.closed
    : response.destroyed;
}

function isQueued(request: RequestHead, response: PortResponse): boolean {
  return request.httpVersionMajor === 1 && response.socket === null;
}
