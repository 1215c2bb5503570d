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

/** Makes of an error the one that is sent; the same when there is nothing to change. */
type Explain = (error: ConnectError) => ConnectError;

const HTTP_OK = 200;
/** An answer that this is put on was no error. */
const NO_ERROR = new ConnectError("no error", Code.Unknown);

/** Types that error details may hold, for their readable form. */
type Readable = Partial<JsonWriteOptions>;

/** What connect refuses with a status alone: a client that knows no better is told more. */
const BARE_STATUSES: ReadonlyMap<number, string> = new Map([
  [405, "a call is made by POST, or by GET if it has no side effects"],
  [
    415,
    "the content type is not spoken here; these are: application/proto, application/json, application/connect+proto, " +
      "application/connect+json, application/grpc, application/grpc+proto, application/grpc+json, " +
      "application/grpc-web, application/grpc-web+proto, application/grpc-web+json",
  ],
  [505, "streams both ways need HTTP/2"],
]);

/**
 * An answer of connect's, whose errors are all changed by `explain`: what its transports refuse by themselves never comes to the pipeline, which explains all
 * others. What they packed is left as it is.
 */
export async function explainAnswer(
  answer: UniversalServerResponse,
  readable: Readable,
  explain: Explain,
): Promise<UniversalServerResponse> {
  const { header, body, trailer, status } = answer;
  const bare = body === undefined ? BARE_STATUSES.get(status) : undefined;
  if (bare !== undefined) return explainBare(answer, bare, readable, explain);
  if (header === undefined || body === undefined) return answer;
  const type = header.get("content-type") ?? "";
  if (type === "application/json" && status !== HTTP_OK && !header.has("content-encoding")) {
    return await explainUnary(answer, header, body, readable, explain);
  }
  if (type.startsWith("application/connect+")) {
    return {
      ...answer,
      body: mapEnd(body, endStreamFlag, (data) => endStream(data, readable, explain)),
    };
  }
  if (type.startsWith("application/grpc-web")) {
    return { ...answer, body: mapEnd(body, trailerFlag, (data) => webTrailer(data, explain)) };
  }
  if (trailer !== undefined) return { ...answer, body: thenTrailer(body, trailer, explain) };
  return answer;
}

async function explainUnary(
  answer: UniversalServerResponse,
  header: Headers,
  body: AsyncIterable<Uint8Array>,
  readable: Readable,
  explain: Explain,
): Promise<UniversalServerResponse> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const error = readError(bytes);
  const explained = explain(error);
  if (explained === error) return { ...answer, body: inOne(bytes) };
  const said = errorToJsonBytes(explained, readable);
  header.set("content-length", String(said.length));
  return { ...answer, status: codeToHttpStatus(explained.code), body: inOne(said) };
}

/** An answer that was a status alone, with the same status and an error of Connect's as JSON. */
function explainBare(
  answer: UniversalServerResponse,
  why: string,
  readable: Readable,
  explain: Explain,
): UniversalServerResponse {
  const error = new ConnectError(why, Code.Unimplemented);
  const explained = explain(error);
  const said = errorToJsonBytes(explained, readable);
  const header = new Headers(answer.header);
  header.set("content-type", "application/json");
  header.set("content-length", String(said.length));
  const isOwn = explained.code === error.code;
  const status = isOwn ? answer.status : codeToHttpStatus(explained.code);
  return { ...answer, status, header, body: inOne(said) };
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

function endStream(data: Uint8Array, readable: Readable, explain: Explain): Uint8Array | undefined {
  const { error, metadata } = endStreamFromJson(data);
  const explained = error && explain(error);
  if (explained === undefined || explained === error) return undefined;
  return Buffer.from(JSON.stringify(endStreamToJson(metadata, explained, readable)));
}

function webTrailer(data: Uint8Array, explain: Explain): Uint8Array | undefined {
  const trailer = trailerParse(data);
  return explainTrailer(trailer, explain) ? trailerSerialize(trailer) : undefined;
}

async function* thenTrailer(
  body: AsyncIterable<Uint8Array>,
  trailer: Headers,
  explain: Explain,
): AsyncGenerator<Uint8Array> {
  yield* body;
  explainTrailer(trailer, explain);
}

/** Whether there was something to explain. */
function explainTrailer(trailer: Headers, explain: Explain): boolean {
  const error = findTrailerError(trailer);
  const explained = error && explain(error);
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
