import http2 from "node:http2";
import type { BlockList } from "node:net";
import type {
  DescMessage,
  DescMethod,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
  Registry,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { CallContext } from "../pipeline/admission.ts";
import { createRequestJudge, type RequestJudge } from "./broken-requests.ts";
import { MAX_CALL_TIMEOUT_MS, MAX_REQUEST_BYTES } from "./call-bounds.ts";
import { explainAnswer } from "./explained-answer.ts";
import type { InfrastructureService } from "../services/infrastructure.ts";
import { type Logger, plainLogger } from "../../logger.ts";
import { peerOf } from "./peer.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { pathOf, type PortRequest, type PortResponse } from "./plain-answer.ts";
import { REQUEST_TIMEOUT_MS } from "../port/port-servers.ts";
import { createRefusal } from "./refusal.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../pipeline/request-id.ts";
import { isClosed } from "./short-call.ts";
import type { ServiceDefinition } from "../service.ts";
import { inTime } from "./slow-requests.ts";
import { explainError } from "../pipeline/transport-errors.ts";

/** Options of {@link createConnectHandler}. */
export interface ConnectHandlerOptions {
  readonly pipeline: Pipeline;
  /** The services that the pipeline serves. */
  readonly services: readonly ServiceDefinition[];
  /** Services beside the pipeline: health, reflection. */
  readonly infrastructure?: readonly InfrastructureService[];
  /** Types that `google.protobuf.Any` may hold in JSON. */
  readonly registry: Registry;
  /** Default: {@link MAX_REQUEST_BYTES}. */
  readonly maxRequestBytes?: number;
  /** Answers of at least so many bytes are compressed for callers that accept it. Default: none, since it costs five times what the call costs. */
  readonly compressFromBytes?: number;
  /** Proxies that are believed, see `peerOf`. Default: none. */
  readonly trustedProxies?: BlockList | undefined;
  /** How long a request over HTTP/2 may take to arrive, unless it is a stream. Default: `REQUEST_TIMEOUT_MS`. */
  readonly requestTimeoutMs?: number;
  /** Judges requests that turn out broken. Default: with the usual bound. */
  readonly judge?: RequestJudge;
  /** Ends all calls when it aborts. Its reason, a `DomainError` or a `ConnectError`, is what the callers are told. */
  readonly shutdownSignal?: AbortSignal;
  readonly logger?: Logger;
}

/** Answers calls in Connect (binary, JSON and GET), gRPC and gRPC-Web. */
export interface ConnectHandler {
  /** The full names of the services, sorted. */
  readonly services: readonly string[];
  /** Whether there is a call at this path, which is without a query. */
  serves(path: string): boolean;
  /** Answers a request whose path is served. Never throws. `body` stands for the request's own, when that was read already. */
  handle(request: PortRequest, response: PortResponse, body?: AsyncIterable<Uint8Array>): void;
}

const NO_SENSE = "the request lacks a host, or its host or headers are malformed";

const peerKey = createContextKey("unknown", { description: "the caller's network address" });

/** Puts a pipeline behind connect's protocols. */
export function createConnectHandler(options: ConnectHandlerOptions): ConnectHandler {
  const logger = options.logger ?? plainLogger;
  const { trustedProxies, registry } = options;
  const { judge = createRequestJudge(), requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const refuse = createRefusal({ registry, logger });
  const router = createRouter(options);
  for (const { desc } of options.services) {
    router.service(desc, implementationOf(desc, options.pipeline));
  }
  for (const { desc, implementation } of options.infrastructure ?? []) {
    router.service(desc, implementation as Partial<ServiceImpl<DescService>>);
  }
  const paths = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  function peerOfRequest({ socket, headers }: PortRequest): string {
    return peerOf(socket.remoteAddress, headers["x-forwarded-for"], trustedProxies);
  }

  async function answer(
    request: PortRequest,
    response: PortResponse,
    body: AsyncIterable<Uint8Array> | undefined,
  ): Promise<void> {
    const handler = paths.get(pathOf(request));
    if (handler === undefined) throw new Error(`${request.url} is not served`);
    const peer = peerOfRequest(request);
    const values = createContextValues().set(peerKey, peer);
    passOverRest(request, response, true);
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    const isTimed = request.httpVersionMajor === 2 && !isStreamed(handler.method);
    const all = body ?? bodyOf(request);
    const read = { ...universal, body: isTimed ? inTime(all, requestTimeoutMs) : all };
    if (options.compressFromBytes === undefined) offerNothing(read.header);
    const answer = await explainAnswer(await handler(read), { registry }, (error) =>
      judge(explainError(error), { request, response, peer }),
    );
    await universalResponseToNodeResponse(answer, response);
  }

  // What arrives here did not come out of a call: the caller went away, or its request is no HTTP that a URL and headers can be made of.
  function giveUp(request: PortRequest, response: PortResponse, error: unknown): void {
    const { code } = ConnectError.from(error);
    if (code === Code.Aborted || code === Code.Canceled || isGone(request, response)) {
      logger.debug({ err: error }, "a caller went away");
      return;
    }
    if (response.headersSent) {
      logger.error({ err: error }, "an answer broke off");
      response.destroy();
      return;
    }
    logger.debug({ err: error }, "a request made no sense");
    const failure = explainError(new ConnectError(NO_SENSE, Code.InvalidArgument));
    const peer = peerOfRequest(request);
    refuse(request, response, judge(failure, { request, response, peer }));
  }

  return {
    services: [...options.services, ...(options.infrastructure ?? [])]
      .map(({ desc }) => desc.typeName)
      .sort(),
    serves: (path) => paths.has(path),
    handle(request, response, body) {
      answer(request, response, body).catch((error: unknown) => giveUp(request, response, error));
    },
  };
}

/** Whether the caller of a request went away. A connection of HTTP/1.1 tells those who write to it before it tells its response. */
function isGone({ httpVersionMajor, socket }: PortRequest, response: PortResponse): boolean {
  return isClosed(response) || (httpVersionMajor === 1 && socket.destroyed);
}

const ACCEPTED_ENCODINGS = [
  "accept-encoding",
  "connect-accept-encoding",
  "grpc-accept-encoding",
] as const;

/** Whether a request of the call may last as long as its client likes. */
function isStreamed({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

// Or else connect would announce a compression that is then never used.
function offerNothing(header: Headers): void {
  for (const name of ACCEPTED_ENCODINGS) header.set(name, "identity");
}

function createRouter(options: ConnectHandlerOptions): ConnectRouter {
  const { registry, shutdownSignal } = options;
  return createConnectRouter({
    acceptCompression: [compressionGzip],
    compressMinBytes: options.compressFromBytes ?? Number.POSITIVE_INFINITY,
    readMaxBytes: options.maxRequestBytes ?? MAX_REQUEST_BYTES,
    maxTimeoutMs: MAX_CALL_TIMEOUT_MS,
    jsonOptions: { registry },
    ...(shutdownSignal && { shutdownSignal }),
  });
}

function implementationOf(
  desc: DescService,
  pipeline: Pipeline,
): Partial<ServiceImpl<DescService>> {
  const implementation: Record<string, unknown> = {};
  for (const method of desc.methods) {
    implementation[method.localName] = handlerOf(pipeline, method);
  }
  return implementation as Partial<ServiceImpl<DescService>>;
}

function handlerOf(pipeline: Pipeline, method: DescMethod): unknown {
  if (method.methodKind === "unary") return unary(pipeline, method as DescMethodUnary);
  return method.methodKind === "client_streaming"
    ? clientStream(pipeline, method as DescMethodClientStreaming)
    : stream(pipeline, method as DescMethodServerStreaming);
}

function unary(pipeline: Pipeline, method: DescMethodUnary) {
  return (request: MessageShape<DescMessage>, context: HandlerContext) =>
    pipeline.unary(method, request, contextOf(context));
}

function stream(pipeline: Pipeline, method: DescMethodServerStreaming) {
  return (request: MessageShape<DescMessage>, context: HandlerContext) =>
    pipeline.serverStream(method, request, contextOf(context));
}

function clientStream(pipeline: Pipeline, method: DescMethodClientStreaming) {
  return (requests: AsyncIterable<MessageShape<DescMessage>>, context: HandlerContext) =>
    pipeline.clientStream(method, requests, contextOf(context));
}

function contextOf({ requestHeader, values, signal }: HandlerContext): CallContext {
  let requestId: string | undefined;
  return {
    authorization: requestHeader.get("authorization") ?? undefined,
    peer: values.get(peerKey),
    signal,
    get traceparent() {
      return requestHeader.get("traceparent") ?? undefined;
    },
    get requestId() {
      return (requestId ??= requestIdOf(requestHeader.get(REQUEST_ID_HEADER)));
    },
  };
}

/** The body of a request. Whoever stops reading it has an answer, which its connection is still needed for. */
export function bodyOf(request: PortRequest): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}

/**
 * Once the answer is written, passes over what is left of a request that was answered before its end. Over HTTP/1.1 its
 * connection serves no other before that is read, which Node's timeout for requests bounds; over HTTP/2 the caller is told to
 * stop (RFC 9113, 8.1), after the trailers if the answer has some.
 */
export function passOverRest(
  request: PortRequest,
  response: PortResponse,
  hasTrailers: boolean,
): void {
  if ("stream" in response) {
    const { stream } = response;
    stream.once(hasTrailers ? "wantTrailers" : "finish", () => {
      // They are sent by an earlier listener, and only then may the stream be closed.
      if (!stream.readableEnded) setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR));
    });
    return;
  }
  response.once("finish", () => {
    if (request.complete || request.destroyed) return;
    request.removeAllListeners("readable");
    request.resume();
  });
}
