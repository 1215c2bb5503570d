import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { admit, type CallContext, type Gate, type Route, watchCaller } from "./admission.ts";
import type { ErrorMapper } from "./error-mapping.ts";

type Source = AsyncIterator<MessageInitShape<DescMessage>>;
type StreamState =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly source: Source }
  | { readonly kind: "ended" };

/** What a stream needs besides its route. */
export interface StreamParts {
  readonly gate: Gate;
  readonly mapError: ErrorMapper;
  /** Is told once how the stream ended; undefined: well. */
  readonly onEnd: ((code: Code | undefined) => void) | undefined;
}

/** Begins a streaming call, as `Pipeline.serverStream` promises. */
// Written out rather than as a generator: a generator around a generator costs as much per message as the rest of the pipeline.
export function openStream(
  parts: StreamParts,
  route: Route,
  request: Message,
  context: CallContext,
): AsyncIterator<Message> {
  // The call's own end, or that of its caller's right to make it.
  const expulsion = new AbortController();
  const signal = AbortSignal.any([context.signal, expulsion.signal]);
  let state: StreamState = { kind: "new" };
  let watched: { close(): void } | undefined;

  function end(code: Code | undefined): void {
    if (state.kind === "ended") return;
    state = { kind: "ended" };
    watched?.close();
    parts.onEnd?.(code);
  }

  async function open(): Promise<Source | undefined> {
    const { authorization, peer, requestId } = context;
    const caller = { authorization, peer, requestId, signal };
    const call = await admit(parts.gate, route, request, caller);
    // The caller may have given up in the meantime.
    if (state.kind === "ended") return undefined;
    const answers = route.handler(request, call) as AsyncIterable<MessageInitShape<DescMessage>>;
    const source = answers[Symbol.asyncIterator]();
    state = { kind: "open", source };
    watched = watchCaller(parts.gate, route, call, (error) => expulsion.abort(error));
    signal.addEventListener("abort", () => void free(source), { once: true });
    return source;
  }

  // Whoever writes to a connection that has gone may wait forever and never ask again: a source then lets go of its files all the same.
  async function free(source: Source): Promise<void> {
    try {
      await source.return?.();
    } catch (error) {
      // Nobody is left to be told: it is only logged.
      parts.mapError(error, { name: route.name, context });
    }
  }

  async function abandon(code: Code): Promise<void> {
    const source = state.kind === "open" ? state.source : undefined;
    end(code);
    if (source !== undefined) await free(source);
  }

  return {
    async next() {
      if (state.kind === "ended") return { done: true, value: undefined };
      try {
        const source = state.kind === "open" ? state.source : await open();
        if (source === undefined) return { done: true, value: undefined };
        const step = await source.next();
        if (!step.done) return { done: false, value: create(route.method.output, step.value) };
        if (signal.aborted) throw signal.reason;
        end(undefined);
        return { done: true, value: undefined };
      } catch (error) {
        const failure = parts.mapError(error, { name: route.name, context });
        await abandon(failure.code);
        throw failure;
      }
    },
    async return() {
      await abandon(Code.Canceled);
      return { done: true, value: undefined };
    },
    async throw(error) {
      // What went wrong with writing is not the handler's business: for it the stream is over.
      await abandon(Code.Canceled);
      throw error;
    },
  };
}
