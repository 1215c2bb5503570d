import type { DescMethod } from "@bufbuild/protobuf";
import { MAX_CALL_TIMEOUT_MS } from "./connect-adapter.ts";
import type { PortRequest } from "./plain-answer.ts";

/** The protocols that a call in plain form may speak. */
export type WireProtocol = "connect-unary" | "connect-stream" | "grpc" | "grpc-web";

/** What is known of a call in plain form. */
export interface PlainForm {
  readonly protocol: WireProtocol;
  /** The content type of the answer. */
  readonly contentType: string;
  /** The caller's deadline; undefined: none. */
  readonly timeoutMs: number | undefined;
}

/** Bytes before an enveloped message: a byte of flags and the length. */
export const ENVELOPE_BYTES = 5;

/** The plain form of a request by its method and headers; undefined for anything unusual, which is the adapter's. */
export function plainFormOf(method: DescMethod, request: PortRequest): PlainForm | undefined {
  const { headers } = request;
  if (
    request.method !== "POST" ||
    (request.httpVersionMinor === 0 && request.httpVersionMajor === 1)
  )
    return undefined;
  if (!isIdentity(headers["content-encoding"])) return undefined;
  // A request without a host makes no URL, and the adapter has an answer for that.
  if (headers.host === undefined && headers[":authority"] === undefined) return undefined;
  switch (headers["content-type"]) {
    case "application/proto":
      return method.methodKind === "unary" ? connectForm("connect-unary", request) : undefined;
    case "application/connect+proto":
      if (method.methodKind === "unary" || !isIdentity(headers["connect-content-encoding"]))
        return undefined;
      return connectForm("connect-stream", request);
    case "application/grpc":
    case "application/grpc+proto":
      return request.httpVersionMajor === 2 ? grpcForm("grpc", request) : undefined;
    case "application/grpc-web":
    case "application/grpc-web+proto":
      return grpcForm("grpc-web", request);
    default:
      return undefined;
  }
}

function isIdentity(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === "identity";
}

function connectForm(protocol: WireProtocol, { headers }: PortRequest): PlainForm | undefined {
  const version = headers["connect-protocol-version"];
  if (version !== undefined && version !== "1") return undefined;
  const timeoutMs = parseConnectTimeout(headers["connect-timeout-ms"]);
  if (timeoutMs === "unusual") return undefined;
  const contentType =
    protocol === "connect-unary" ? "application/proto" : "application/connect+proto";
  return { protocol, contentType, timeoutMs };
}

function grpcForm(protocol: WireProtocol, { headers }: PortRequest): PlainForm | undefined {
  if (!isIdentity(headers["grpc-encoding"])) return undefined;
  const timeoutMs = parseGrpcTimeout(headers["grpc-timeout"]);
  if (timeoutMs === "unusual") return undefined;
  return {
    protocol,
    contentType: protocol === "grpc" ? "application/grpc+proto" : "application/grpc-web+proto",
    timeoutMs,
  };
}

function parseConnectTimeout(value: string | string[] | undefined): number | undefined | "unusual" {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !/^\d{1,10}$/.test(value)) return "unusual";
  return withinLimit(Number(value));
}

const GRPC_UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

function parseGrpcTimeout(value: string | string[] | undefined): number | undefined | "unusual" {
  if (value === undefined) return undefined;
  const match = typeof value === "string" ? /^(\d{1,8})([HMSmun])$/.exec(value) : null;
  if (!match) return "unusual";
  return withinLimit(Number(match[1]) * (GRPC_UNITS_MS[match[2] ?? ""] ?? 0));
}

function withinLimit(timeoutMs: number): number | "unusual" {
  return timeoutMs > MAX_CALL_TIMEOUT_MS || timeoutMs <= 0 ? "unusual" : timeoutMs;
}

/** The one message of a body; undefined when the body is not just one plain message. */
export function unwrap({ protocol }: PlainForm, body: Uint8Array): Uint8Array | undefined {
  if (protocol === "connect-unary") return body;
  if (body.length < ENVELOPE_BYTES || body[0] !== 0) return undefined;
  const size =
    (((body[1] as number) << 24) |
      ((body[2] as number) << 16) |
      ((body[3] as number) << 8) |
      (body[4] as number)) >>>
    0;
  return body.length === size + ENVELOPE_BYTES ? body.subarray(ENVELOPE_BYTES) : undefined;
}
