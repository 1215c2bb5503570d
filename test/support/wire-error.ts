import type { JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { type ErrorDetail, ErrorDetailSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { WireAnswer, WirePart } from "./wire.ts";

const NO_ERROR = new ConnectError("no error", Code.Unknown);

/** The reason of an answer's error with all that goes with it, in whatever protocol; undefined: it has none. */
export function detailOf(
  answer: WireAnswer | { readonly brokeOff: string },
): ErrorDetail | undefined {
  return errorOf(answer)?.findDetails(ErrorDetailSchema)[0];
}

function errorOf(answer: WireAnswer | { readonly brokeOff: string }): ConnectError | undefined {
  if ("brokeOff" in answer) return undefined;
  const { body, trailers } = answer;
  const last = Array.isArray(body) ? (body.at(-1) as WirePart | undefined) : undefined;
  if (last?.flags === 0x80) return inTrailer(last.data);
  const grpc = inTrailer(trailers);
  if (grpc) return grpc;
  const json = last?.flags === 2 ? (last.data as { error?: JsonValue }).error : body;
  const isError = typeof json === "object" && json !== null && "code" in json;
  return isError ? errorFromJson(json as JsonValue, undefined, NO_ERROR) : undefined;
}

function inTrailer(fields: unknown): ConnectError | undefined {
  // Node's own marks are symbols.
  const named = Object.entries(fields as Record<string, string>);
  return findTrailerError(new Headers(named));
}
