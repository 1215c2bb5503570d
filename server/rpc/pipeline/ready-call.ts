import type { Message } from "@bufbuild/protobuf";
import type { Code, ConnectError } from "@connectrpc/connect";
import { admit, type CallContext, type Gate, type Route, watchCaller } from "./admission.ts";
import type { ErrorMapper } from "./error-mapping.ts";
import type { ReadyStream } from "./ready-stream.ts";

/** A streaming call that was let in, for a transport that writes serialized messages itself. One of `end` and `fail` is to be called, once: both close the stream. */
export interface ReadyCall {
  readonly stream: ReadyStream;
  /** Tells once, if ever, that the caller may no longer make the call: `fail` is to be called with the error. */
  onExpelled(listener: (error: unknown) => void): void;
  /** The call went well. */
  end(): void;
  /** The call is ended by an error: one of the stream's, or the reason of its signal. Answers what the caller is to be told. */
  fail(error: unknown): ConnectError;
}

/** What a call in bytes needs besides its route. */
export interface ReadyCallParts {
  readonly gate: Gate;
  readonly mapError: ErrorMapper;
  /** Is told once how the call ended; undefined: well. */
  readonly onEnd: ((code: Code | undefined) => void) | undefined;
}

/** Begins a streaming call, as `Pipeline.openReady` promises. */
export async function openReady(
  { gate, mapError, onEnd }: ReadyCallParts,
  route: Route,
  request: Message,
  context: CallContext,
): Promise<ReadyCall> {
  function map(error: unknown): ConnectError {
    return mapError(error, { name: route.name, context });
  }
  function failed(error: unknown): ConnectError {
    const failure = map(error);
    onEnd?.(failure.code);
    return failure;
  }
  function close(stream: ReadyStream): void {
    try {
      stream.close();
    } catch (error) {
      // Nobody is left to be told: it is only logged.
      map(error);
    }
  }
  try {
    const call = await admit(gate, route, request, context);
    if (route.open === undefined) throw new Error(`${route.name} does not answer in bytes`);
    const stream = await route.open(request, call);
    const expulsion = Promise.withResolvers<unknown>();
    const watched = watchCaller(gate, route, call, expulsion.resolve);
    return {
      stream,
      onExpelled: (listener) => void expulsion.promise.then(listener),
      end() {
        watched?.close();
        close(stream);
        onEnd?.(undefined);
      },
      fail(error) {
        watched?.close();
        close(stream);
        return failed(error);
      },
    };
  } catch (error) {
    throw failed(error);
  }
}
