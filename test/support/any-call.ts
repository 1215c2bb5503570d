import type {
  DescMethod,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  Message,
} from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Failure } from "./player.ts";
import { readFailure } from "./player.ts";
import { createTransport } from "./server.ts";
import type { Protocol } from "./server.ts";

/** How a call is made. */
export interface CallOptions {
  readonly protocol?: Protocol;
  readonly token?: string;
  /** Default: an empty one. */
  readonly request?: Message;
}

/** After so long a call that is not answered has failed, so that it is named rather than the test that made it. */
const PATIENCE_MS = 20_000;

/** What came of a call. */
export interface CallOutcome {
  /** Undefined: it went well. */
  readonly failure: Failure | undefined;
  /** The answer; of a stream the first message. */
  readonly answer: Message | undefined;
}

/** Makes any call there is; a stream is left after its first message. */
export async function callAny(
  baseUrl: string,
  method: DescMethod,
  options: CallOptions = {},
): Promise<CallOutcome> {
  const transport = createTransport(baseUrl, options.protocol ?? "connect", options.token ?? "");
  const request = options.request ?? create(method.input);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const make = async (): Promise<Message | undefined> => {
    if (isUnary(method)) {
      return (await transport.unary(method, signal, undefined, undefined, request)).message;
    }
    if (!isOneWayStream(method)) throw new Error(`${method.name} has streams both ways`);
    const input = (async function* () {
      yield request;
    })();
    const answers = await transport.stream(method, signal, undefined, undefined, input);
    for await (const answer of answers.message) return answer;
    return undefined;
  };
  try {
    return { answer: await make(), failure: undefined };
  } catch (error) {
    return { answer: undefined, failure: readFailure(error) };
  }
}

/** A call's short name, such as `WorldService/Move`. */
export function nameOf(method: DescMethod): string {
  return `${method.parent.name}/${method.name}`;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isOneWayStream(
  method: DescMethod,
): method is DescMethodServerStreaming | DescMethodClientStreaming {
  return method.methodKind === "server_streaming" || method.methodKind === "client_streaming";
}
