import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Authenticator } from "../../account/session.ts";
import {
  admit,
  buildRoutes,
  type CallContext,
  type Gate,
  nameOf,
  type Route,
} from "./admission.ts";
import type { CallObserver } from "./call-observer.ts";
import { createErrorMapper, type ErrorMapper } from "./error-mapping.ts";
import { type Logger, plainLogger } from "../../logger.ts";
import { openReady, type ReadyCall } from "./ready-call.ts";
import { withRequestId } from "./request-id.ts";
import type { ServiceDefinition } from "../service.ts";
import { openSink, type SinkCall, type SinkOutlet } from "./sink-call.ts";
import { feedSink } from "./sink-feed.ts";
import { openStream } from "./stream-call.ts";
import { createRequestValidator } from "./validation.ts";

/**
 * The one way that every call takes, whatever transport it came by: session, role, limit, validation, handler, error mapping.
 * Whatever `unary` and `serverStream` throw is a `ConnectError` that may be sent as it is.
 */
export interface Pipeline {
  /** Prepares the validation rules of all requests, so that no caller waits for that. Throws when a rule is wrong. */
  start(): void;
  /** Makes a unary call. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    context: CallContext,
  ): Promise<MessageShape<O>>;
  /**
   * Makes a streaming call. Nothing happens before the first message is asked for, and the handler is asked for a message only when the caller
   * asks for one. Giving up early (`return`, `throw`) ends the handler's generator. A handler that
   * just ends when its signal aborts gives its caller the reason of that: the deadline, or the server stopping.
   */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
    context: CallContext,
  ): AsyncIterable<MessageShape<O>>;
  /** Whether a streaming call can be opened with `openReady`. */
  answersInBytes(method: DescMethod): boolean;
  /** Makes a streaming call for a transport that writes serialized messages itself. */
  openReady(method: DescMethod, request: Message, context: CallContext): Promise<ReadyCall>;
  /**
   * Makes a call that takes a stream of messages. Session, role and limit are seen to before the first message is asked for, limit and
   * validation with each. The call may end before the client has ended its stream.
   */
  clientStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    requests: AsyncIterable<MessageShape<I>>,
    context: CallContext,
  ): Promise<MessageShape<O>>;
  /** Makes the same call for a transport that pushes the messages. Undefined when the call was not let in, which the outlet has been told then. */
  openSink(
    method: DescMethod,
    context: CallContext,
    outlet: SinkOutlet,
  ): Promise<SinkCall | undefined>;
}

/** Options of {@link createPipeline}. */
export interface PipelineOptions {
  readonly authenticator: Authenticator;
  /** All services that carry `access`. */
  readonly services: readonly ServiceDefinition[];
  /** Types that may occur inside `google.protobuf.Any`. */
  readonly registry?: Registry;
  /** Default: errors and warnings to standard error. */
  readonly logger?: Logger;
  /** A clock that never goes back, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** How many callers each call's limiter remembers. Default: `MAX_BUCKETS`. */
  readonly maxBuckets?: number;
  /** Is told of every call, for metrics. */
  readonly observer?: CallObserver | undefined;
  /** Is told why calls are refused, for metrics. */
  readonly onRefused?: ((reason: ErrorReason) => void) | undefined;
}

interface Parts {
  readonly gate: Gate;
  readonly mapError: ErrorMapper;
  readonly observer: CallObserver | undefined;
  readonly now: () => number;
}

/** Makes the pipeline. Throws an `Error` that names the call when one has no `access`, a service comes twice, or a call has streams both ways. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const now = options.now ?? (() => performance.now());
  const validator = createRequestValidator(options.registry);
  const map = createErrorMapper(options.logger ?? plainLogger, options.onRefused);
  const parts: Parts = {
    gate: { authenticator: options.authenticator, validator },
    mapError: (error, call) => withRequestId(map(error, call), call.context.requestId),
    observer: options.observer,
    now,
  };
  const { gate, mapError } = parts;
  const { services, maxBuckets } = options;
  const routes = buildRoutes({ services, maxBuckets, now });
  function routeOf(method: DescMethod): Route {
    const route = routes.get(method);
    if (route === undefined) throw new Error(`${nameOf(method)} is not served by this pipeline`);
    return route;
  }
  function sinkOf(method: DescMethod, context: CallContext, outlet: SinkOutlet) {
    const route = routeOf(method);
    return openSink(
      { gate, mapError, onEnd: observe(parts, route, context) },
      route,
      context,
      outlet,
    );
  }
  return {
    start() {
      for (const { method } of routes.values()) validator.prepare(method.input);
    },
    unary: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      request: MessageShape<I>,
      context: CallContext,
    ) => runUnary(parts, routeOf(method), request, context) as Promise<MessageShape<O>>,
    serverStream: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodServerStreaming<I, O>,
      request: MessageShape<I>,
      context: CallContext,
    ) => runStream(parts, routeOf(method), request, context) as AsyncIterable<MessageShape<O>>,
    answersInBytes: (method) => routeOf(method).open !== undefined,
    openReady(method, request, context) {
      const route = routeOf(method);
      const onEnd = observe(parts, route, context);
      return openReady({ gate, mapError, onEnd }, route, request, context);
    },
    clientStream: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodClientStreaming<I, O>,
      requests: AsyncIterable<MessageShape<I>>,
      context: CallContext,
    ) =>
      feedSink((outlet) => sinkOf(method, context, outlet), requests, context.signal) as Promise<
        MessageShape<O>
      >,
    openSink: sinkOf,
  };
}

async function runUnary(
  parts: Parts,
  route: Route,
  request: Message,
  context: CallContext,
): Promise<Message> {
  const { observer, now } = parts;
  const startedAt = observer === undefined ? 0 : now();
  observer?.onBegin(route.name);
  try {
    const admitted = admit(parts.gate, route, request, context);
    const call = admitted instanceof Promise ? await admitted : admitted;
    const given = route.handler(request, call);
    const answer = (
      given instanceof Promise ? await given : given
    ) as MessageInitShape<DescMessage>;
    const message = create(route.method.output, answer);
    observer?.onEnd(route.name, undefined, now() - startedAt, context);
    return message;
  } catch (error) {
    const failure = parts.mapError(error, { name: route.name, context });
    observer?.onEnd(route.name, failure.code, now() - startedAt, context);
    throw failure;
  }
}

function runStream(
  parts: Parts,
  route: Route,
  request: Message,
  context: CallContext,
): AsyncIterable<Message> {
  const { gate, mapError } = parts;
  return {
    [Symbol.asyncIterator]: () =>
      openStream(
        { gate, mapError, onEnd: observe(parts, route, context) },
        route,
        request,
        context,
      ),
  };
}

/** Begins to observe a stream; what comes back is told how it ended. */
function observe(
  { observer, now }: Parts,
  { name }: Route,
  context: CallContext,
): ((code: Code | undefined) => void) | undefined {
  if (observer === undefined) return undefined;
  const startedAt = now();
  observer.onBegin(name);
  return (code) => observer.onEnd(name, code, now() - startedAt, context);
}
