import type { BlockList } from "node:net";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, DescMethodUnary, Message, Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { MAX_REQUEST_BYTES } from "./call-bounds.ts";
import type { ConnectHandler } from "./connect-adapter.ts";
import { type Logger, plainLogger } from "../../logger.ts";
import { createRequestJudge, type RequestJudge } from "./broken-requests.ts";
import { peerOf } from "./peer.ts";
import { readToken } from "../pipeline/admission.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { PortRequest, PortResponse } from "./plain-answer.ts";
import { REQUEST_TIMEOUT_MS } from "../port/port-servers.ts";
import type { ServiceDefinition } from "../service.ts";
import type { DirectCall, DirectHandler, RequestHead, WholeResponse } from "./direct-answer.ts";
import { ENVELOPE_BYTES, plainSizeOf } from "./envelope.ts";
import { inOrder, readBody } from "./short-body.ts";
import { ShortCall } from "./short-call.ts";
import { createFormReader } from "./short-form.ts";
import type { WireProtocol } from "./short-form.ts";
import { readSink } from "./short-sink.ts";
import { writeStream } from "./short-stream.ts";
import { createAnswerWriter } from "./short-writer.ts";

/** What the short way needs. */
export interface ShortWayOptions {
  readonly pipeline: Pipeline;
  readonly services: readonly ServiceDefinition[];
  /** Answers what is not in plain form. */
  readonly adapter: ConnectHandler;
  /** Larger requests are the adapter's, which refuses them. Default: `MAX_REQUEST_BYTES`. */
  readonly maxRequestBytes?: number;
  /** From how many bytes on answers are compressed, which is the adapter's business. Default: never. */
  readonly compressFromBytes?: number;
  /** Proxies that are believed, see `peerOf`. Default: none. */
  readonly trustedProxies?: BlockList | undefined;
  /** Types that error details may hold, for their readable form. */
  readonly registry: Registry;
  /** How long a request over HTTP/2 may take to arrive, unless it is a stream. Default: `REQUEST_TIMEOUT_MS`. */
  readonly requestTimeoutMs?: number;
  /** Judges client streams that turn out broken; the adapter judges all else. Default: with the usual bound. */
  readonly judge?: RequestJudge;
  /** Ends all calls when it aborts; its reason is what the callers are told. */
  readonly shutdownSignal?: AbortSignal;
  readonly logger?: Logger;
}

/** A call whose request is to be read. */
interface Arrival {
  readonly method: DescMethod;
  readonly request: PortRequest;
  readonly response: PortResponse;
}

/** A call whose request was read. */
interface ReadCall<R extends WholeResponse = PortResponse> {
  readonly method: DescMethod;
  readonly protocol: WireProtocol;
  readonly response: R;
  readonly message: Message;
  readonly call: ShortCall;
}

/** Answers calls, with and without Node's HTTP servers. */
export interface ShortWay extends ConnectHandler {
  /** Answers unary calls in plain form. */
  readonly direct: DirectHandler;
}

/** Makes what answers calls out of an adapter and what stands before it: the short way, or nothing but the adapter. */
export type CallsFactory = (
  options: ShortWayOptions,
) => ConnectHandler & Partial<Pick<ShortWay, "direct">>;

/**
 * Answers calls in plain form (binary, uncompressed, POST, one whole message) without the adapter's general
 * machinery, and hands everything else to the adapter, with whatever was read of it. Both end in the same
 * pipeline. Which calls are in plain form: `short-form.ts`.
 */
export function createShortWay(options: ShortWayOptions): ShortWay {
  const { pipeline, adapter, maxRequestBytes = MAX_REQUEST_BYTES, trustedProxies } = options;
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, judge = createRequestJudge() } = options;
  const { logger = plainLogger, shutdownSignal = new AbortController().signal } = options;
  const methods = methodsByPath(options);
  const formOf = createFormReader({ packsAnswers: options.compressFromBytes !== undefined });
  const writer = createAnswerWriter({ registry: options.registry, logger });

  function answer(read: ReadCall): void {
    if (read.method.methodKind === "unary") answerOnce(read, read.method as DescMethodUnary);
    else answerStream(read);
  }

  function answerOnce(
    { protocol, response, message, call }: ReadCall<WholeResponse>,
    method: DescMethodUnary,
  ) {
    pipeline.unary(method, message as never, call).then(
      (answer) => {
        call.end();
        const bytes = serialize(method, answer);
        if (bytes instanceof ConnectError) writer.failure(protocol, response, bytes);
        else writer.whole(protocol, response, bytes);
      },
      (error: ConnectError) => {
        call.end();
        writer.failure(protocol, response, error);
      },
    );
  }

  function answerStream({ method, protocol, response, message, call }: ReadCall): void {
    pipeline.openReady(method, message, call).then(
      (ready) => writeStream(ready, { protocol, response, writer, call }),
      (error: ConnectError) => {
        call.end();
        writer.failure(protocol, response, error);
      },
    );
  }

  /** Takes a client stream: its call begins before its body has come. */
  function takeStream(arrived: Arrival & { protocol: WireProtocol; call: ShortCall }): void {
    const { method, request, response, protocol, call } = arrived;
    readSink({
      ...{ method, request, response, protocol, call },
      maxBytes: maxRequestBytes,
      parse: (bytes) => parse(method, bytes),
      open: (outlet) => pipeline.openSink(method, call, outlet),
      outlet: {
        onAnswer(answer) {
          const bytes = serialize(method, answer);
          if (bytes instanceof ConnectError) writer.failure(protocol, response, bytes);
          else writer.whole(protocol, response, bytes);
        },
        onFailure(error) {
          if (call.isGone) return;
          const told = judge(error, { request, response, peer: call.peer });
          writer.failure(protocol, response, told);
        },
      },
    });
  }

  function direct(head: RequestHead): DirectCall | undefined {
    const method = methods.get(head.url ?? "");
    if (method?.methodKind !== "unary") return undefined;
    const form = formOf(method, head);
    if (!form) return undefined;
    const { protocol, timeoutMs } = form;
    const enveloped = protocol !== "connect-unary";
    const peer = peerOfRequest(head, trustedProxies);
    const token = readToken(head.headers.authorization);
    return (body) => {
      const bytes = enveloped ? messageIn(body) : body;
      if (bytes === undefined || bytes.length > maxRequestBytes) return undefined;
      const message = parse(method, bytes);
      if (message === undefined) return undefined;
      const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
      return (response) => {
        const call = new ShortCall({
          ...{ request: head, response, peer, shutdownSignal, deadline, token },
        });
        answerOnce({ method, protocol, response, message, call }, method as DescMethodUnary);
      };
    };
  }

  return {
    services: adapter.services,
    serves: adapter.serves,
    direct,
    handle(request, response) {
      const method = methods.get(request.url ?? "");
      const form = method && formOf(method, request);
      if (!method || !form) {
        adapter.handle(request, response);
        return;
      }
      const { protocol, timeoutMs: callTimeoutMs } = form;
      const deadline = callTimeoutMs === undefined ? undefined : performance.now() + callTimeoutMs;
      const peer = peerOfRequest(request, trustedProxies);
      if (method.methodKind === "client_streaming") {
        const call = new ShortCall({ request, response, peer, shutdownSignal, deadline });
        takeStream({ method, request, response, protocol, call });
        return;
      }
      const enveloped = protocol !== "connect-unary";
      const reader = {
        onUnusual: (body: AsyncIterable<Uint8Array>) => adapter.handle(request, response, body),
        onMessage(bytes: Uint8Array, body: Uint8Array) {
          const message = parse(method, bytes);
          if (message === undefined) {
            adapter.handle(request, response, inOrder([body]));
            return;
          }
          const call = new ShortCall({ request, response, peer, shutdownSignal, deadline });
          answer({ method, protocol, response, message, call });
        },
      };
      // Over HTTP/1.1 Node limits that.
      const timeoutMs = request.httpVersionMajor === 2 ? requestTimeoutMs : undefined;
      readBody(request, { enveloped, maxBytes: maxRequestBytes, timeoutMs }, reader);
    },
  };
}

function methodsByPath({ services, pipeline }: ShortWayOptions): Map<string, DescMethod> {
  const methods = new Map<string, DescMethod>();
  for (const { desc } of services) {
    for (const method of desc.methods) {
      if (method.methodKind === "server_streaming" && !pipeline.answersInBytes(method)) continue;
      methods.set(`/${desc.typeName}/${method.name}`, method);
    }
  }
  return methods;
}

// While the request is new its connection is surely there.
function peerOfRequest({ socket, headers }: RequestHead, trustedProxies?: BlockList): string {
  return peerOf(socket.remoteAddress, headers["x-forwarded-for"], trustedProxies);
}

/** The one plain message that a whole body holds in its envelope; undefined: it is anything else. */
function messageIn(body: Uint8Array): Uint8Array | undefined {
  const isWhole =
    body.length >= ENVELOPE_BYTES && plainSizeOf(body) === body.length - ENVELOPE_BYTES;
  return isWhole ? body.subarray(ENVELOPE_BYTES) : undefined;
}

function parse({ input }: DescMethod, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(input, bytes);
  } catch {
    return undefined;
  }
}

/** An answer that does not fit its type is the handler's mistake; the caller is told what the adapter tells. */
function serialize({ output }: DescMethod, answer: Message): Uint8Array | ConnectError {
  try {
    return toBinary(output, answer);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return new ConnectError(`serialize binary: ${what}`, Code.Internal);
  }
}
