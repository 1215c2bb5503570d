import { create, type Message, type MessageInitShape, type DescMessage } from "@bufbuild/protobuf";
import type { Code, ConnectError } from "@connectrpc/connect";
import {
  admitCaller,
  admitMessage,
  type CallContext,
  type Gate,
  type Route,
  watchCaller,
} from "./admission.ts";
import type { ErrorMapper } from "./error-mapping.ts";
import type { Call } from "../service.ts";

/** Who is told how a client stream ended: one of these, once. */
export interface SinkOutlet {
  onAnswer(answer: Message): void;
  onFailure(error: ConnectError): void;
}

/** A client stream that was let in, as a transport feeds it. Once it has ended, whatever comes is passed over. */
export interface SinkCall {
  /** Takes a message. While a promise that comes back is pending no other may be given; it never rejects. */
  take(message: Message): Promise<void> | undefined;
  /** The client has ended its stream. */
  finish(): void;
  /** Something went wrong with the transport, or the call's signal aborted. */
  fail(error: unknown): void;
}

/** What a client stream needs besides its route. */
export interface SinkCallParts {
  readonly gate: Gate;
  readonly mapError: ErrorMapper;
  /** Is told once how the call ended; undefined: well. */
  readonly onEnd: ((code: Code | undefined) => void) | undefined;
}

type Sink = Awaited<ReturnType<NonNullable<Route["sink"]>>>;
type SinkState =
  | { readonly kind: "opening" }
  | { readonly kind: "open"; readonly call: Call; readonly sink: Sink }
  | { readonly kind: "ended" };

/** Begins a client stream, as `Pipeline.openSink` promises. */
export async function openSink(
  { gate, mapError, onEnd }: SinkCallParts,
  route: Route,
  context: CallContext,
  outlet: SinkOutlet,
): Promise<SinkCall | undefined> {
  let state: SinkState = { kind: "opening" };
  let watched: { close(): void } | undefined;

  function map(error: unknown): ConnectError {
    return mapError(error, { name: route.name, context });
  }
  function end(): void {
    const before = state;
    state = { kind: "ended" };
    watched?.close();
    if (before.kind === "open") close(before.sink);
  }
  function close(sink: Sink): void {
    try {
      sink.close();
    } catch (error) {
      // Nobody is left to be told: it is only logged.
      map(error);
    }
  }
  function fail(error: unknown): void {
    if (state.kind === "ended") return;
    end();
    const failure = map(error);
    onEnd?.(failure.code);
    outlet.onFailure(failure);
  }
  function take(message: Message): Promise<void> | undefined {
    if (state.kind !== "open") return undefined;
    try {
      admitMessage(gate, route, state.call, message);
      const waiting = state.sink.take(message);
      return waiting ? waiting.catch(fail) : undefined;
    } catch (error) {
      fail(error);
      return undefined;
    }
  }
  async function finish(): Promise<void> {
    if (state.kind !== "open") return;
    try {
      const answer = (await state.sink.finish()) as MessageInitShape<DescMessage>;
      const message = create(route.method.output, answer);
      // It may have been ended from the inside meanwhile.
      if (isEnded()) return;
      end();
      onEnd?.(undefined);
      outlet.onAnswer(message);
    } catch (error) {
      fail(error);
    }
  }
  function isEnded(): boolean {
    return state.kind === "ended";
  }

  try {
    const call = await admitCaller(gate, route, context, 1);
    if (isEnded()) return undefined;
    if (route.sink === undefined) throw new Error(`${route.name} takes no stream`);
    const sink = await route.sink(call, fail);
    if (isEnded()) {
      close(sink);
      return undefined;
    }
    state = { kind: "open", call, sink };
    watched = watchCaller(gate, route, call, fail);
    return { take, finish: () => void finish(), fail };
  } catch (error) {
    fail(error);
    return undefined;
  }
}
