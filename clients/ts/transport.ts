import type { Interceptor, StreamResponse, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import { toRealmwireError } from "./errors.ts";
import type { WorldFlag } from "./world-view.ts";

/** How long a unary call may take, in milliseconds. */
const CALL_TIMEOUT_MS = 10_000;

/** Makes a transport, such as `createGrpcTransport` of `@connectrpc/connect-node` does. */
export type TransportFactory = (options: {
  readonly baseUrl: string;
  readonly useBinaryFormat: true;
  readonly interceptors: Interceptor[];
}) => Transport;

/** What a transport is made with. */
export interface GameTransportOptions {
  readonly baseUrl: string;
  /** Default: `connect`. */
  readonly protocol?: "connect" | "grpc-web";
  /** Makes a transport of another kind than `fetch`: then `protocol` and `fetch` mean nothing. */
  readonly createTransport?: TransportFactory;
  /** Default: the global one. It must give the body of a response as a stream. */
  readonly fetch?: typeof globalThis.fetch;
  /** How long a unary call may take unless it says otherwise, in milliseconds. Default: 10 seconds. */
  readonly callTimeoutMs?: number;
  /** The token of the session, if there is one. */
  readonly token: () => string | undefined;
  /** Told of each flag on the answer of a unary call. */
  readonly onFlag: (flag: WorldFlag) => void;
}

/**
 * Creates the transport of all calls: it adds the bearer token and a time limit, collects flags, and
 * rejects with a `RealmwireError` alone.
 */
export function createGameTransport(options: GameTransportOptions): Transport {
  const { baseUrl, protocol = "connect", callTimeoutMs = CALL_TIMEOUT_MS } = options;
  const create =
    options.createTransport ??
    (protocol === "connect" ? createConnectTransport : createGrpcWebTransport);
  const inner = create({
    baseUrl,
    useBinaryFormat: true,
    interceptors: [addToken(options.token), collectFlags(options.onFlag)],
    ...(options.fetch && { fetch: options.fetch }),
  });
  const rethrow = (error: unknown): never => {
    throw toRealmwireError(error, baseUrl);
  };
  return {
    unary: (method, signal, timeoutMs = callTimeoutMs, ...rest) =>
      inner.unary(method, signal, timeoutMs, ...rest).catch(rethrow),
    stream: (...args) =>
      inner.stream(...args).then((response) => withErrors(response, rethrow), rethrow),
  };
}

function withErrors<Response extends StreamResponse>(
  response: Response,
  rethrow: (error: unknown) => never,
): Response {
  async function* messages(): AsyncIterable<unknown> {
    try {
      yield* response.message;
    } catch (error) {
      rethrow(error);
    }
  }
  return { ...response, message: messages() };
}

function addToken(token: () => string | undefined): Interceptor {
  return (next) => (request) => {
    const value = token();
    if (value !== undefined && !request.header.has("authorization")) {
      request.header.set("authorization", `Bearer ${value}`);
    }
    return next(request);
  };
}

function collectFlags(onFlag: (flag: WorldFlag) => void): Interceptor {
  return (next) => async (request) => {
    const response = await next(request);
    const collect = (message: object): void => {
      if (!("flags" in message)) return;
      for (const { kind } of message.flags as Flag[]) if (kind.case) onFlag(kind);
    };
    if (!response.stream) {
      collect(response.message);
      return response;
    }
    // What answers a stream of messages is one answer, too; the flags of a stream of answers are its reader's.
    if (response.method.methodKind !== "client_streaming") return response;
    return { ...response, message: tellEach(response.message, collect) };
  };
}

async function* tellEach<T>(messages: AsyncIterable<T>, tell: (message: T) => void) {
  for await (const message of messages) {
    tell(message);
    yield message;
  }
}
