import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  createMethodSerializationLookup,
  pipe,
  transformDecompressEnvelope,
  transformParseEnvelope,
  transformSplitEnvelope,
} from "@connectrpc/connect/protocol";
import { endStreamFlag } from "@connectrpc/connect/protocol-connect";
import { trailerFlag } from "@connectrpc/connect/protocol-grpc-web";
import { bodyOf } from "./connect-adapter.ts";
import type { PortRequest } from "./plain-answer.ts";
import type { WireProtocol } from "./short-form.ts";
import type { SinkCall } from "../pipeline/sink-call.ts";

/** The request whose rest is read. */
export interface UnusualSource {
  readonly method: DescMethod;
  readonly protocol: WireProtocol;
  readonly request: PortRequest;
  /** The largest message, in bytes. */
  readonly maxBytes: number;
}

/**
 * Reads what is left of a client stream after its plain messages, with the parts that the adapter reads with. `rest` was read of
 * the request already; `hasEnded` when that was all.
 */
export async function readUnusual(
  sink: SinkCall,
  source: UnusualSource,
  rest: Uint8Array,
  hasEnded: boolean,
): Promise<void> {
  try {
    for await (const message of messagesIn(source, bytesOf(source.request, rest, hasEnded))) {
      await sink.take(message);
    }
    sink.finish();
  } catch (error) {
    sink.fail(error);
  }
}

async function* bytesOf(
  request: PortRequest,
  rest: Uint8Array,
  hasEnded: boolean,
): AsyncGenerator<Uint8Array> {
  if (rest.length > 0) yield rest;
  if (!hasEnded) yield* bodyOf(request);
}

function messagesIn(
  { method, protocol, maxBytes }: UnusualSource,
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Message> {
  const limits = { readMaxBytes: maxBytes, writeMaxBytes: maxBytes };
  const { getI } = createMethodSerializationLookup(method, undefined, undefined, limits);
  const endingFlag = ENDING_FLAGS[protocol];
  const parse = getI(true);
  return pipe(
    bytes,
    transformSplitEnvelope(maxBytes),
    transformDecompressEnvelope(null, maxBytes),
    endingFlag === undefined
      ? transformParseEnvelope(parse)
      : transformParseEnvelope(parse, endingFlag),
  );
}

/** What marks an envelope that is no message, where a protocol has that. */
const ENDING_FLAGS: Readonly<Record<WireProtocol, number | undefined>> = {
  "connect-unary": undefined,
  "connect-stream": endStreamFlag,
  grpc: undefined,
  "grpc-web": trailerFlag,
};
