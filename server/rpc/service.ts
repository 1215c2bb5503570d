import type {
  DescMessage,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { EndCall, MessageSink } from "./pipeline/message-sink.ts";
import type { ReadyStream } from "./pipeline/ready-stream.ts";
import type { Session } from "../account/session.ts";

/** Who calls, and under what circumstances. */
export interface Call {
  /** The caller's session. Always set where the call's `access` asks for a role above ANONYMOUS. */
  readonly session: Session | undefined;
  /** The caller's network address, for limits and logs. */
  readonly peer: string;
  /** Names the call, for the log; the caller may have chosen it. */
  readonly requestId: string;
  /** Aborts when the caller goes away, when the deadline passes and when the server stops. */
  readonly signal: AbortSignal;
}

/** A function for each call of a service. */
export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : S["method"][K] extends DescMethodServerStreaming<infer I, infer O>
      ?
          | ((request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>)
          | ReadyHandler<I>
      : S["method"][K] extends DescMethodClientStreaming<infer I, infer O>
        ? SinkHandler<I, O>
        : never;
};

/** A streaming call that gives its answers as bytes: made with {@link readyStream}. */
export interface ReadyHandler<I extends DescMessage> {
  readonly open: (request: MessageShape<I>, call: Call) => Promise<ReadyStream>;
}

/** A streaming call whose answers are serialized messages already. */
export function readyStream<I extends DescMessage>(
  open: (request: MessageShape<I>, call: Call) => Promise<ReadyStream>,
): ReadyHandler<I> {
  return { open };
}

/** A call that takes a stream of messages: made with {@link messageSink}. */
export interface SinkHandler<I extends DescMessage, O extends DescMessage> {
  readonly sink: (
    call: Call,
    end: EndCall,
  ) => Promise<MessageSink<MessageShape<I>, MessageInitShape<O>>>;
}

/** A call that takes a stream of messages. What it is opened with ends the call with an error at any time. */
export function messageSink<I extends DescMessage, O extends DescMessage>(
  sink: SinkHandler<I, O>["sink"],
): SinkHandler<I, O> {
  return { sink };
}

/** A service and what answers it. */
export interface ServiceDefinition {
  readonly desc: DescService;
  readonly handlers: Readonly<
    Record<
      string,
      | ((request: never, call: Call) => unknown)
      | ReadyHandler<never>
      | { readonly sink: (call: Call, end: EndCall) => Promise<MessageSink<never, unknown>> }
    >
  >;
}

/** Binds handlers to a service. Handlers see only calls that passed the pipeline: authenticated, allowed, within limits, valid. */
export function defineService<S extends DescService>(
  desc: S,
  handlers: Handlers<S>,
): ServiceDefinition {
  return { desc, handlers };
}
