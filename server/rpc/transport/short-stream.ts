import type { PortResponse } from "./plain-answer.ts";
import type { ReadyCall } from "../pipeline/ready-call.ts";
import type { ShortCall } from "./short-call.ts";
import type { WireProtocol } from "./short-form.ts";
import type { AnswerWriter } from "./short-writer.ts";

/** Messages that one stream may write before the others have their turn. */
export const MAX_MESSAGES_A_TURN = 32;

/** What a stream is written to. */
export interface StreamTarget {
  readonly protocol: WireProtocol;
  readonly response: PortResponse;
  readonly writer: AnswerWriter;
  readonly call: ShortCall;
}

/** Writes a stream as fast as its client takes it, until it ends or the call's signal aborts. */
export function writeStream(ready: ReadyCall, target: StreamTarget): void {
  const { protocol, response, writer, call } = target;
  const { stream } = ready;
  const { signal } = call;
  let isOpen = true;

  function close(): void {
    isOpen = false;
    signal.removeEventListener("abort", onAbort);
    response.off("drain", turn);
    call.end();
  }

  function end(): void {
    close();
    ready.end();
    writer.end(protocol, response);
  }

  function fail(error: unknown): void {
    if (!isOpen) return;
    close();
    const failure = ready.fail(error);
    if (!call.isGone) writer.failure(protocol, response, failure);
  }

  function onAbort(): void {
    fail(signal.reason);
  }

  function turn(): void {
    try {
      for (let count = 0; isOpen; count++) {
        if (count === MAX_MESSAGES_A_TURN) {
          setImmediate(turn);
          return;
        }
        const message = stream.next();
        const flows = message === undefined || writer.message(protocol, response, message);
        if (stream.ended()) {
          end();
          return;
        }
        if (!flows) {
          response.once("drain", turn);
          return;
        }
        if (message === undefined) {
          stream.wait(turn, fail);
          return;
        }
      }
    } catch (error) {
      fail(error);
    }
  }

  if (signal.aborted) {
    onAbort();
    return;
  }
  signal.addEventListener("abort", onAbort);
  ready.onExpelled(fail);
  turn();
}
