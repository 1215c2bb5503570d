import type { DescMethod } from "@bufbuild/protobuf";
import { MAX_CALL_TIMEOUT_MS } from "./call-bounds.ts";
import type { RequestHead } from "./direct-answer.ts";

/** The protocols that a call in plain form may speak. */
export type WireProtocol = "connect-unary" | "connect-stream" | "grpc" | "grpc-web";

/** What is known of a call in plain form. */
export interface PlainForm {
  readonly protocol: WireProtocol;
  /** The caller's deadline, from the arrival of the headers on; undefined: none. */
  readonly timeoutMs: number | undefined;
}

type Header = string | string[] | undefined;
type Timeout = number | undefined | "unusual";

/** Tells the plain form of a request by its headers; undefined for anything unusual, which is the adapter's. The path is not looked at. */
export type FormReader = (method: DescMethod, request: RequestHead) => PlainForm | undefined;

/** A reader of forms. With `packsAnswers`, a caller that may want its answer compressed is unusual. */
export function createFormReader({ packsAnswers }: { packsAnswers: boolean }): FormReader {
  // The last host that made sense: of nearly all requests it is the same, and parsing it takes longer than all the rest.
  let knownHost: string | undefined;

  function isHost(host: Header): boolean {
    if (host === undefined) return false;
    if (host === knownHost) return true;
    if (typeof host !== "string" || !URL.canParse(`http://${host}`)) return false;
    knownHost = host;
    return true;
  }

  return (method, request) => {
    const { headers, httpVersionMajor } = request;
    if (request.method !== "POST") return undefined;
    if (httpVersionMajor === 1 && request.httpVersionMinor === 0) return undefined;
    if (!isIdentity(headers["content-encoding"])) return undefined;
    if (!isHost(headers[":authority"] ?? headers.host)) return undefined;
    const form = protocolForm(method, request);
    return form !== undefined && packsAnswers && maySendPacked(form, request) ? undefined : form;
  };
}

function protocolForm(method: DescMethod, request: RequestHead): PlainForm | undefined {
  switch (request.headers["content-type"]) {
    case "application/proto":
      return method.methodKind === "unary" ? connectForm("connect-unary", request) : undefined;
    case "application/connect+proto":
      return method.methodKind === "unary" ? undefined : connectForm("connect-stream", request);
    case "application/grpc":
    case "application/grpc+proto":
      // Its trailers are for HTTP/2.
      return request.httpVersionMajor === 2 ? grpcForm("grpc", request) : undefined;
    case "application/grpc-web":
    case "application/grpc-web+proto":
      return grpcForm("grpc-web", request);
    default:
      return undefined;
  }
}

function connectForm(protocol: WireProtocol, { headers }: RequestHead): PlainForm | undefined {
  if (protocol === "connect-stream" && !isIdentity(headers["connect-content-encoding"])) {
    return undefined;
  }
  const timeoutMs = parseConnectTimeout(headers["connect-timeout-ms"]);
  return timeoutMs === "unusual" ? undefined : { protocol, timeoutMs };
}

function grpcForm(protocol: WireProtocol, { headers }: RequestHead): PlainForm | undefined {
  if (!isIdentity(headers["grpc-encoding"])) return undefined;
  const timeoutMs = parseGrpcTimeout(headers["grpc-timeout"]);
  return timeoutMs === "unusual" ? undefined : { protocol, timeoutMs };
}

function isIdentity(encoding: Header): boolean {
  return encoding === undefined || encoding === "identity";
}

function maySendPacked({ protocol }: PlainForm, { headers }: RequestHead): boolean {
  switch (protocol) {
    case "connect-unary":
      return !isIdentity(headers["accept-encoding"]);
    case "connect-stream":
      return !isIdentity(headers["connect-accept-encoding"]);
    case "grpc":
    case "grpc-web":
      return !isIdentity(headers["grpc-accept-encoding"]);
  }
}

function parseConnectTimeout(value: Header): Timeout {
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

function parseGrpcTimeout(value: Header): Timeout {
  if (value === undefined) return undefined;
  const match = typeof value === "string" ? /^(\d{1,8})([HMSmun])$/.exec(value) : null;
  if (!match) return "unusual";
  return withinLimit(Number(match[1]) * (GRPC_UNITS_MS[match[2] ?? ""] ?? 0));
}

/** What is too long is refused by the adapter; what is over already is its business, too. */
function withinLimit(timeoutMs: number): Timeout {
  return timeoutMs > MAX_CALL_TIMEOUT_MS || timeoutMs <= 0 ? "unusual" : timeoutMs;
}
