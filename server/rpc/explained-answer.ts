import type { JsonWriteOptions } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  endStreamToJson,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { envelope, ENVELOPE_BYTES } from "./envelope.ts";
import { explainError } from "./transport-errors.ts";

const HTTP_OK = 200;
/** An answer that this is put on was no error. */
const NO_ERROR = new ConnectError("no error", Code.Unknown);

/** Types that error details may hold, for their readable form. */
type Readable = Partial<JsonWriteOptions>;

/**
 * An answer of connect's, whose errors all carry an `ErrorDetail`: what its transports refuse by themselves never comes to the pipeline, which explains all
 * others. What they packed is left as it is.
 */
export async function explainAnswer(
  answer: UniversalServerResponse,
  readable: Readable,
): Promise<UniversalServerResponse> {
  const { header, body, trailer, status } = answer;
  if (header === undefined || body === undefined) return answer;
  const type = header.get("content-type") ?? "";
  if (type === "application/json" && status !== HTTP_OK && !header.has("content-encoding")) {
    return await explainUnary(answer, header, body, readable);
  }
  if (type.startsWith("application/connect+")) {
    return { ...answer, body: mapEnd(body, endStreamFlag, (data) => endStream(data, readable)) };
  }
  if (type.startsWith("application/grpc-web")) {
    return { ...answer, body: mapEnd(body, trailerFlag, webTrailer) };
  }
  if (trailer !== undefined) return { ...answer, body: thenTrailer(body, trailer) };
  return answer;
}

async function explainUnary(
  answer: UniversalServerResponse,
  header: Headers,
  body: AsyncIterable<Uint8Array>,
  readable: Readable,
): Promise<UniversalServerResponse> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const error = readError(bytes);
  const explained = explainError(error);
  if (explained === error) return { ...answer, body: inOne(bytes) };
  const said = errorToJsonBytes(explained, readable);
  header.set("content-length", String(said.length));
  return { ...answer, status: codeToHttpStatus(explained.code), body: inOne(said) };
}

// What cannot be read as an error is left as it is: it has no code that could be explained.
function readError(bytes: Uint8Array): ConnectError {
  try {
    return errorFromJsonBytes(bytes, undefined, NO_ERROR);
  } catch {
    return NO_ERROR;
  }
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Envelopes, of which each comes in one piece, with another one instead of that which ends them. */
async function* mapEnd(
  body: AsyncIterable<Uint8Array>,
  flag: number,
  change: (data: Uint8Array) => Uint8Array | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const changed = chunk[0] === flag ? change(chunk.subarray(ENVELOPE_BYTES)) : undefined;
    yield changed ? envelope(flag, changed) : chunk;
  }
}

function endStream(data: Uint8Array, readable: Readable): Uint8Array | undefined {
  const { error, metadata } = endStreamFromJson(data);
  const explained = error && explainError(error);
  if (explained === undefined || explained === error) return undefined;
  return Buffer.from(JSON.stringify(endStreamToJson(metadata, explained, readable)));
}

function webTrailer(data: Uint8Array): Uint8Array | undefined {
  const trailer = trailerParse(data);
  return explainTrailer(trailer) ? trailerSerialize(trailer) : undefined;
}

async function* thenTrailer(
  body: AsyncIterable<Uint8Array>,
  trailer: Headers,
): AsyncGenerator<Uint8Array> {
  yield* body;
  explainTrailer(trailer);
}

/** Whether there was something to explain. */
function explainTrailer(trailer: Headers): boolean {
  const error = findTrailerError(trailer);
  const explained = error && explainError(error);
  if (explained === undefined || explained === error) return false;
  setTrailerStatus(
    trailer,
    new ConnectError(explained.rawMessage, explained.code, undefined, detailsOf(explained)),
  );
  return true;
}

function detailsOf({ details }: ConnectError) {
  return details.filter((detail) => "desc" in detail);
}
