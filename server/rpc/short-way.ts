import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, DescMethodUnary, Message, Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { CallContext } from "./admission.ts";
import { MAX_REQUEST_BYTES } from "./connect-adapter.ts";
import type { ConnectHandler } from "./connect-adapter.ts";
import { peerOf } from "./peer.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PortRequest, PortResponse } from "./plain-answer.ts";
import { pathOf } from "./plain-answer.ts";
import type { ReadyStream } from "./ready-stream.ts";
import type { ServiceDefinition } from "./service.ts";
import { createCallSignal } from "./short-signal.ts";
import type { CallSignal } from "./short-signal.ts";
import { plainFormOf, unwrap } from "./short-form.ts";
import { createWriter } from "./short-writer.ts";
import type { AnswerWriter } from "./short-writer.ts";

/** What the short way needs. */
export interface ShortWayOptions {
  readonly pipeline: Pipeline;
  readonly services: readonly ServiceDefinition[];
  /** Answers what is not in plain form. */
  readonly adapter: ConnectHandler;
  /** Larger requests are the adapter's, which refuses them. Default: `MAX_REQUEST_BYTES`. */
  readonly maxRequestBytes?: number;
  /** How many proxies stand before the server. */
  readonly trustedProxies?: number;
  /** Types that error details may hold, for their readable form. */
  readonly registry: Registry;
  /** Ends all calls when it aborts; its reason is what the callers are told. */
  readonly shutdownSignal: AbortSignal;
}

/**
 * Answers calls in plain form (binary, uncompressed, POST, one whole message) without the adapter's general
 * machinery, and hands everything else to the adapter, with whatever was read of it. Both end in the same
 * pipeline. Which calls are in plain form: `short-form.ts`.
 */
export function createShortWay(options: ShortWayOptions): ConnectHandler {
  const { pipeline, adapter, maxRequestBytes = MAX_REQUEST_BYTES, shutdownSignal } = options;
  const methods = new Map<string, DescMethod>();
  for (const { desc } of options.services) {
    for (const method of desc.methods) {
      if (method.methodKind === "server_streaming" && !pipeline.answersInBytes(method)) continue;
      methods.set(`/${desc.typeName}/${method.name}`, method);
    }
  }

  return {
    services: adapter.services,
    serves: adapter.serves,
    handle(request, response) {
      const method = methods.get(pathOf(request));
      const form = method && plainFormOf(method, request);
      if (!method || !form) {
        adapter.handle(request, response);
        return;
      }
      readBody(request, maxRequestBytes, (body, whole) => {
        const bytes = whole ? unwrap(form, body) : undefined;
        const message = bytes && parse(method, bytes);
        if (!message) {
          adapter.handle(request, response, whole ? only(body) : before(body, request));
          return;
        }
        const signal = createCallSignal({ response, shutdownSignal, timeoutMs: form.timeoutMs });
        const context = contextOf(request, signal);
        const writer = createWriter(form, response, options.registry);
        if (method.methodKind === "unary")
          answerOnce(method as DescMethodUnary, message, context, signal, writer);
        else answerStream(method, message, context, signal, writer, response);
      });
    },
  };

  function contextOf(request: PortRequest, signal: CallSignal): CallContext {
    const { headers, socket } = request;
    return {
      authorization: headers.authorization,
      peer: peerOf(socket.remoteAddress, headers["x-forwarded-for"], options.trustedProxies ?? 0),
      get signal() {
        return signal.get();
      },
    };
  }

  function answerOnce(
    method: DescMethodUnary,
    message: Message,
    context: CallContext,
    signal: CallSignal,
    writer: AnswerWriter,
  ): void {
    pipeline.unary(method, message as never, context).then(
      (answer) => {
        signal.end();
        writer.whole(toBinary(method.output, answer));
      },
      (error: ConnectError) => {
        signal.end();
        writer.failure(error);
      },
    );
  }

  function answerStream(
    method: DescMethod,
    message: Message,
    context: CallContext,
    signal: CallSignal,
    writer: AnswerWriter,
    response: PortResponse,
  ): void {
    pipeline.openReady(method, message, context).then(
      (stream) => {
        const failureOf = (reason: unknown) => pipeline.failure(method, reason, context.signal);
        pump(stream, writer, response, signal, failureOf);
      },
      (error: ConnectError) => {
        signal.end();
        writer.failure(error);
      },
    );
  }
}

/** Writes a stream as fast as the client takes it. */
function pump(
  stream: ReadyStream,
  writer: AnswerWriter,
  response: PortResponse,
  signal: CallSignal,
  failureOf: (reason: unknown) => ConnectError,
): void {
  let closed = false;
  const aborted = signal.get();

  function close(): void {
    if (closed) return;
    closed = true;
    aborted.removeEventListener("abort", onAbort);
    stream.close();
    signal.end();
  }

  function onAbort(): void {
    close();
    if (!signal.isGone()) writer.failure(failureOf(aborted.reason));
  }

  function turn(): void {
    while (!closed) {
      const message = stream.next();
      const flows = message === undefined || writer.message(message);
      if (stream.ended()) {
        close();
        writer.end();
        return;
      }
      if (!flows) {
        response.once("drain", turn);
        return;
      }
      if (message === undefined) {
        stream.ready().then(turn, fail);
        return;
      }
    }
  }

  function fail(error: ConnectError): void {
    if (closed) return;
    close();
    writer.failure(error);
  }

  if (aborted.aborted) {
    onAbort();
    return;
  }
  aborted.addEventListener("abort", onAbort);
  turn();
}

/** Reads a body up to a limit; `whole` is false when there is more. Nothing is told of a request that breaks off. */
function readBody(
  request: PortRequest,
  maxBytes: number,
  done: (body: Uint8Array, whole: boolean) => void,
): void {
  let first: Uint8Array | undefined;
  let more: Uint8Array[] | undefined;
  let size = 0;
  const body = () => (more ? Buffer.concat(more) : (first ?? new Uint8Array(0)));
  function onData(chunk: Uint8Array): void {
    size += chunk.length;
    if (first === undefined) first = chunk;
    else (more ??= [first]).push(chunk);
    if (size <= maxBytes) return;
    stop();
    request.pause();
    done(body(), false);
  }
  function onEnd(): void {
    stop();
    done(body(), true);
  }
  function stop(): void {
    request.off("data", onData);
    request.off("end", onEnd);
  }
  request.on("data", onData);
  request.on("end", onEnd);
}

async function* only(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

async function* before(body: Uint8Array, request: PortRequest): AsyncGenerator<Uint8Array> {
  yield body;
  yield* request as AsyncIterable<Uint8Array>;
}

function parse({ input }: DescMethod, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(input, bytes);
  } catch {
    return undefined;
  }
}
